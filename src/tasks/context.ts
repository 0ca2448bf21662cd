import { BoundaryError, UsageError } from '../errors.js';
import type { Encoded } from '../wire/types.js';
import { EVENT_CREDIT, type Call } from './call.js';
import { CreditGate } from './credit.js';
import { nothingIncoming } from './incoming.js';

/** What a context needs of the runtime. */
export interface ContextPort {
  readonly worker: string;
  encode(value: unknown, root: string): Encoded;
  sendEvent(call: Call, encoded: Encoded): void;
  status(value: unknown): void;
}

const DONE: Promise<void> = Promise.resolve();

/** The second parameter of a task: {@link import('../decorators/task-types.js').TaskContext} over one call. */
export class CallContext {
  readonly #call: Call;
  readonly #port: ContextPort;
  readonly emit: (event: string, payload: unknown) => Promise<void>;
  readonly status: (value: unknown) => void;

  constructor(call: Call, port: ContextPort) {
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

  /** Not an async function: what is wrong with the event is an error of the line that emits it, awaited or not. */
  #emit(event: string, payload: unknown): Promise<void> {
    const { task } = this.#call;
    const schema = task.events.get(event);
    if (!schema)
      throw new UsageError(`${this.#port.worker}.${task.name} has no event "${event}": declare it with @Task({ events: { ${event}: … } })`);
    if (task.checkEvents) {
      const { issues } = schema(payload);
      if (issues)
        throw new BoundaryError({
          worker: this.#port.worker,
          task: task.name,
          direction: 'output',
          issues,
          what: `event "${event}" of ${this.#port.worker}.${task.name}`,
        });
    }
    const encoded = this.#port.encode([event, payload], 'event');
    if (this.#call.phase === 'settled') return DONE; // Events come before the answer or not at all.
    this.#call.events ??= new CreditGate(EVENT_CREDIT, each => this.#port.sendEvent(this.#call, each));
    return this.#call.events.push(encoded);
  }
}
