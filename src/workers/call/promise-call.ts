import { currentContext } from '../../async-context.js';
import { publish } from '../../diagnostics.js';
import { asError } from '../../errors.js';
import { Call, type CallSettings } from './call.js';
import { rejectJoined } from './joined-stack.js';
import type { Owner } from './owner.js';
import type { Target } from './call-target.js';
import { queueMicrotask } from '../../system-timers.js';

type Resolve = (value: unknown) => void;

// One executor for all promises: a closure for each would be the dearest part of a call.
let taken: Resolve | undefined;
function take(resolve: Resolve): void {
  taken = resolve;
}

/** A call whose answer is awaited. */
export class PromiseCall extends Call {
  readonly promise: Promise<unknown>;
  readonly #resolve: Resolve;

  constructor(target: Target, key: string | undefined, owner: Owner, options: CallSettings | undefined) {
    super(target, key, owner, options);
    this.promise = new Promise(take);
    this.#resolve = taken!;
  }

  protected onSuccess(value: unknown): void {
    // An answer never is a thenable (functions do not cross), so that this settles the promise here and now.
    this.#resolve(value);
  }

  protected onFailure(error: Error, place: string | undefined): void {
    this.#resolve(rejectJoined(error, place));
  }
}

/** A `tell`: its answer goes to the owner's hook. It is never aborted. */
export class TellCall extends Call {
  /** The answer is heard where it was asked for. */
  readonly #context = currentContext();

  override register(): void {}

  protected onSuccess(value: unknown): void {
    const { owner, target } = this;
    if (!owner.hooks.onAnswer || owner.isClosed) this.#dropped(undefined);
    else this.#deliver(() => owner.hooks.onAnswer!(target.worker.cls, value));
  }

  protected onFailure(error: Error): void {
    const { owner, target } = this;
    if (!owner.hooks.onFailure || owner.isClosed) this.#dropped(error);
    else this.#deliver(() => owner.hooks.onFailure!(error, target.worker.cls));
  }

  /** Not in the midst of the pool's work, and what the hook throws is the hook's own. */
  #deliver(run: () => void): void {
    queueMicrotask(() => {
      try {
        this.#context.runInAsyncScope(run);
      } catch (error) {
        publish('hook.error', { app: this.app, worker: this.target.worker.name, hook: 'tell', error: asError(error) });
      }
    });
  }

  #dropped(error: Error | undefined): void {
    const { caller } = this.owner;
    const connection = caller.connection?.id;
    const what = error ? 'failure' : 'answer';
    publish('call.dropped', { app: this.app, what, worker: this.target.worker.name, key: this.key, connection, error });
  }
}
