import { onAbort } from '../../abort-listeners.js';
import { currentContext, type AsyncContext } from '../../async-context.js';
import { AbortError } from '../../errors.js';
import type { CallBase, Sendable } from '../../decorators/worker/client-types.js';
import { Kind } from '../../wire/link/protocol.js';
import type { Link } from '../../wire/link/types.js';
import { IncomingStream } from '../streams/incoming.js';
import { NestedInput } from './nested-input.js';
import { CreditKind, INITIAL_ROOM, ReceiveWindow, sendCredit, type Room } from '../../wire/link/credit.js';

/** Options of a call to another worker. */
export interface NestedCallOptions extends CallBase {
  readonly on?: Readonly<Record<string, ((payload: unknown) => unknown) | undefined>> | undefined;
  readonly send?: Sendable<unknown> | undefined;
}

/** The calling side, as a nested call sees it. */
export interface NestedCallHost {
  readonly link: Link;
  /** The call is over: its id is free. */
  forget(call: NestedCall): void;
  /** A listener threw. */
  onUncaughtError(error: unknown): void;
}

/** CANCEL's arg. */
const GIVEN_UP = 0;
const LEFT = 2;

/** One call that this worker made to another one, until it is settled: exactly once. */
export class NestedCall {
  readonly id: number;
  /** The caller's result: a promise, or an async iterable. */
  readonly answer: Promise<unknown> | AsyncIterableIterator<unknown>;
  readonly #port: NestedCallHost;
  readonly #options: NestedCallOptions;
  readonly #items: IncomingStream | undefined;
  #resolve!: (value: unknown) => void;
  #reject!: (reason: unknown) => void;
  #sender: NestedInput | undefined;
  /** The listeners of `on` run where the call was made. */
  readonly #context: AsyncContext | undefined;
  #events: ReceiveWindow | undefined;
  #settled = false;
  /** Lets go of the signal; undefined: not begun. */
  #forgetSignal: (() => void) | undefined;

  constructor(id: number, worker: string, task: string, streams: boolean, options: NestedCallOptions, port: NestedCallHost) {
    this.id = id;
    this.#port = port;
    this.#options = options;
    this.#context = options.on && currentContext();
    if (streams) {
      const credit = (room: Room): void => sendCredit(port.link, id, CreditKind.items, room);
      const left = (): void => this.#leave();
      this.answer = this.#items = new IncomingStream({ worker, task, validate: undefined, credit, onReturn: left });
    } else {
      this.answer = new Promise((resolve, reject) => {
        this.#resolve = resolve;
        this.#reject = reject;
      });
    }
  }

  /** The call is on its way. */
  begin(): void {
    const { signal, send } = this.#options;
    const { link } = this.#port;
    this.#forgetSignal = onAbort(signal, reason => this.#giveUp(new AbortError(reason)));
    if (!send) return;
    this.#sender = new NestedInput(send, {
      item: value => link.sendValue(Kind.ITEM, this.id, 1, value, 'item'),
      end: () => link.send(Kind.END, this.id, 1),
      onFailed: reason => this.#giveUp(reason),
    });
  }

  reply(value: unknown): void {
    if (this.#settle()) this.#resolve?.(value);
  }

  fail(reason: unknown): void {
    if (!this.#settle()) return;
    if (this.#items) this.#items.fail(reason);
    else this.#reject(reason);
  }

  item(value: unknown, bytes: number): void {
    this.#items?.push(value, bytes);
  }

  end(): void {
    if (this.#settle()) this.#items?.end();
  }

  grant(credit: Room): void {
    this.#sender?.grant(credit);
  }

  /** @param bytes that it came in */
  event(name: string, payload: unknown, bytes: number): void {
    if (this.#settled) return;
    try {
      const { on } = this.#options;
      const heard: unknown = on && this.#context!.runInAsyncScope(() => on[name]?.(payload));
      if (heard instanceof Promise) heard.catch((error: unknown) => this.#port.onUncaughtError(error));
    } catch (error) {
      this.#port.onUncaughtError(error);
    }
    this.#events ??= new ReceiveWindow(INITIAL_ROOM.events);
    this.#events.received(bytes);
    const room = this.#events.consumed(bytes);
    if (room) sendCredit(this.#port.link, this.id, CreditKind.events, room);
  }

  #giveUp(reason: unknown): void {
    if (this.#settled) return;
    this.#port.link.send(Kind.CANCEL, this.id, GIVEN_UP);
    this.fail(reason);
  }

  #leave(): void {
    if (this.#settle()) this.#port.link.send(Kind.CANCEL, this.id, LEFT);
  }

  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    this.#forgetSignal?.();
    this.#sender?.stop();
    this.#port.forget(this);
    return true;
  }
}
