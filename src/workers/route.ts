import type { WorkerBlueprint } from '../blueprint/types.js';
import type { Clock } from '../clock.js';
import { callTraces, runTraced } from '../diagnostics/traces.js';
import { asError, ClosingError, TaskNotFoundError, WorkerNotFoundError } from '../errors.js';
import type { Call, CallSettings, PinnedProcess } from './call/call.js';
import { CallTracing } from './call/call-tracing.js';
import type { Owner } from './call/owner.js';
import { PromiseCall, TellCall } from './call/promise-call.js';
import { failedCall, CallItems, StreamCall } from './call/stream-call.js';
import { targetsOf, type Target, type Targets } from './call/call-target.js';

/** A started pool, as far as routes know it. */
export interface Destination {
  /** Takes a call: it goes to a process at once, or waits for one, or fails. Never throws. */
  submit(call: Call, input: unknown): void;
}

/** A proxy, as far as routes know it. */
export interface Gate {
  /** Whether the proxy answers calls of this target itself. */
  overrides(target: Target): boolean;
  answer(target: Target, input: unknown, settings: CallSettings | undefined, owner: Owner, parent?: Call): unknown;
}

/**
 * The way to one (worker, key), whether it is started or not: what clients hold. A worker that is stopped and started again keeps its
 * route.
 */
export class WorkerRoute<P extends Destination = Destination, G extends Gate = Gate> {
  /** The application, for events. */
  readonly app: string;
  readonly worker: WorkerBlueprint;
  readonly key: string | undefined;
  readonly targets: Targets;
  /** The started pool; written by the workforce. */
  pool: P | undefined;
  /** The proxy; written by the workforce. */
  proxyGate: G | undefined;
  /** Resolves when it has stopped, while it is being stopped. Written by the workforce. */
  closing: Promise<readonly number[]> | undefined;
  /** Clients hold it: it is to be found under its key even when nothing is started there. Written by the workforce. */
  held = false;
  /** The route of another key. */
  readonly #other: (key: string) => WorkerRoute<P, G>;
  readonly #isClosing: () => boolean;
  readonly #clock: Clock;

  constructor(
    app: string,
    worker: WorkerBlueprint,
    key: string | undefined,
    other: (key: string) => WorkerRoute<P, G>,
    isClosing: () => boolean,
    clock: Clock,
  ) {
    this.app = app;
    this.#clock = clock;
    this.worker = worker;
    this.key = key;
    this.targets = targetsOf(worker);
    this.#other = other;
    this.#isClosing = isClosing;
  }

  /** Calls a task by name: what other processes do. */
  call(task: string, input: unknown, settings: CallSettings | undefined, owner: Owner, parent?: Call): unknown {
    const target = this.targets.byName.get(task);
    return target ? this.invoke(target, input, settings, owner, parent) : Promise.reject(this.notFound(task));
  }

  ask(data: unknown, settings: CallSettings | undefined, owner: Owner, parent?: Call): unknown {
    return this.invoke(this.targets.ask, data, settings, owner, parent);
  }

  tell(data: unknown, settings: CallSettings | undefined, owner: Owner): void {
    const route = this.#of(settings);
    route.#submit(new TellCall(route.targets.tell, route.key, owner, settings), data);
  }

  /** Calls a task or the mailbox. What goes wrong rejects; nothing is thrown. */
  invoke(target: Target, input: unknown, settings: CallSettings | undefined, owner: Owner, parent?: Call): unknown {
    const route = settings?.key === undefined ? this : this.#of(settings);
    const front = route.proxyGate;
    return front?.overrides(target)
      ? front.answer(target, input, settings, owner, parent)
      : route.direct(target, input, settings, owner, parent);
  }

  /**
   * Submits a call past the proxy.
   * @param asker the call that the proxy makes it for, which was admitted already; the new call runs in the same task's name
   */
  direct(
    target: Target,
    input: unknown,
    settings: CallSettings | undefined,
    owner: Owner,
    parent?: Call,
    pin?: PinnedProcess,
    asker?: Call,
  ): unknown {
    let call: PromiseCall | StreamCall;
    try {
      call = target.task?.yields ? new StreamCall(target, this.key, owner, settings) : new PromiseCall(target, this.key, owner, settings);
    } catch (error) {
      return failedCall(target, asError(error));
    }
    const outer = parent ?? asker?.parent;
    if (outer) call.setParent(outer);
    call.pin = pin;
    call.isAdmitted = asker !== undefined;
    this.#submit(call, input);
    return call instanceof StreamCall ? new CallItems(call) : call.promise;
  }

  notFound(task: string): TaskNotFoundError {
    return new TaskNotFoundError({ worker: this.worker.name, key: this.key, task });
  }

  /** Nothing is started here. */
  missing(): WorkerNotFoundError | ClosingError {
    if (this.#isClosing()) return new ClosingError();
    return new WorkerNotFoundError(this.worker.name, this.key, 'it is not started: workers.start() starts it');
  }

  #submit(call: Call, input: unknown): void {
    call.app = this.app;
    if (!callTraces.hasSubscribers) return this.#hand(call, input);
    const tracing = (call.tracing = new CallTracing(call, this.#clock));
    runTraced(callTraces, tracing.trace, () => this.#hand(call, input));
  }

  #hand(call: Call, input: unknown): void {
    if (this.pool) this.pool.submit(call, input);
    else call.fail(this.missing());
  }

  #of(settings: CallSettings | undefined): WorkerRoute<P, G> {
    const key = settings?.key;
    return key === undefined || key === this.key ? this : this.#other(key);
  }
}
