import { outsideOfCallers } from '../async-context.js';
import { AbortError } from '../errors.js';
import type { CallMeta } from '../wire/link/protocol.js';
import type { CreditGate } from './streams/credit.js';
import type { IncomingStream } from './streams/incoming.js';
import type { YieldedItems } from './streams/item-stream.js';
import type { RunnableTask } from './task.js';

/** One call at the worker, from its arrival until it is settled. What only some calls have is made when it is asked for. */
export class RunningCall {
  readonly id: number;
  readonly task: RunnableTask;
  readonly input: unknown;
  readonly meta: CallMeta | undefined;
  /** The caller's input stream; there from the arrival, because items may follow before the call begins. */
  readonly incoming: IncomingStream | undefined;
  /** answering: the task has returned, and its answer follows events that wait for credit. */
  phase: 'waiting' | 'running' | 'answering' | 'settled' = 'waiting';
  /** When it began, on the monotonic clock in ms. */
  began = 0;
  /** The caller has given up: of the outcome, only that it has ended is sent. */
  isAbandoned = false;
  events: CreditGate | undefined;
  items: YieldedItems | undefined;
  #controller: AbortController | undefined;
  #aborted: { readonly reason: unknown } | undefined;

  constructor(id: number, task: RunnableTask, input: unknown, meta: CallMeta | undefined, incoming: IncomingStream | undefined) {
    this.id = id;
    this.task = task;
    this.input = input;
    this.meta = meta;
    this.incoming = incoming;
  }

  /** Made when a task first looks at it: most never do. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#aborted) this.#controller.abort(this.#aborted.reason);
    }
    return this.#controller.signal;
  }

  abort(reason: unknown): void {
    if (this.#aborted || this.phase === 'settled') return;
    this.#aborted = { reason };
    // Its listeners are the task's.
    if (this.#controller) outsideOfCallers(() => this.#controller!.abort(reason));
  }

  /** The caller does not wait any more. */
  abandon(): void {
    this.isAbandoned = true;
    const reason = new AbortError(undefined, 'the caller has given up the call');
    this.abort(reason);
    this.incoming?.fail(reason);
    this.items?.leave();
    this.events?.close(() => reason);
  }

  settle(): void {
    this.phase = 'settled';
    this.incoming?.close();
  }
}
