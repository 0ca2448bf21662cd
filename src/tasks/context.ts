import { AbortError, BoundaryError, UsageError } from '../errors.js';
import type { Encoded } from '../wire/link/types.js';
import type { RunningCall } from './call.js';
import { rejectedQuietly, type CreditGate } from './streams/credit.js';
import { nothingIncoming } from './streams/incoming.js';

const NO_CARRIER: Readonly<Record<string, string>> = Object.freeze({});

/** The runtime, as a context sees it. */
export interface ContextHost {
  readonly worker: string;
  encode(value: unknown, root: string): Encoded;
  /** The way of a call's events to its caller. */
  eventGate(call: RunningCall): CreditGate;
  status(value: unknown): void;
}

/** The second parameter of a task: {@link import('../decorators/worker/task-types.js').TaskContext} over one call. */
export class CallContext {
  readonly #call: RunningCall;
  readonly #port: ContextHost;
  readonly emit: (event: string, payload: unknown) => Promise<void>;
  readonly status: (value: unknown) => void;

  constructor(call: RunningCall, port: ContextHost) {
    this.#call = call;
    this.#port = port;
    this.emit = (event, payload) => this.#emit(event, payload);
    this.status = value => port.status(value);
  }

  get signal(): AbortSignal {
    return this.#call.signal;
  }
  get incoming(): AsyncIterable<unknown> {
    return this.#call.incoming ?? nothingIncoming();
  }
  get caller(): unknown {
    return this.#call.meta?.caller ?? {};
  }
  get deadline(): number | undefined {
    return this.#call.meta?.deadline;
  }
  get attempt(): number {
    return this.#call.meta?.attempt ?? 1;
  }

  get carrier(): Readonly<Record<string, string>> {
    return this.#call.meta?.carrier ?? NO_CARRIER;
  }

  /** Not an async function: a wrong name or payload is an error of the line that emits it, awaited or not. */
  #emit(event: string, payload: unknown): Promise<void> {
    const { task } = this.#call;
    const schema = task.events.get(event);
    if (!schema)
      throw new UsageError(`${this.#port.worker}.${task.name} has no event "${event}": declare it with @Task({ events: { ${event}: … } })`);
    if (task.checkEvents) {
      const verdict = schema(payload);
      if (verdict.issues)
        throw new BoundaryError({
          worker: this.#port.worker,
          task: task.name,
          direction: 'output',
          ...verdict,
          what: `event "${event}" of ${this.#port.worker}.${task.name}`,
        });
    }
    const encoded = this.#port.encode([event, payload], 'event');
    const { isAbandoned: abandoned, phase } = this.#call;
    if (abandoned) return rejectedQuietly(new AbortError(undefined, 'the caller has given up the call'));
    if (phase !== 'running') return rejectedQuietly(tooLate(this.#port.worker, task.name));
    return (this.#call.events ??= this.#port.eventGate(this.#call)).push(encoded);
  }
}

/** The error of `emit()` once the task has returned: events come before the answer. */
export function tooLate(worker: string, task: string): UsageError {
  return new UsageError(`${worker}.${task} has answered: its events come before the answer, so emit() before the task returns`);
}
