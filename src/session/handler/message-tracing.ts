import type { Remote } from '../../endpoints/endpoint.js';
import type { MessageTrace } from '../../diagnostics/trace-types.js';
import { endTrace, messageTraces, Stopwatch, runTraced } from '../../diagnostics/traces.js';

/** Publishes what becomes of one message. */
export class MessageTracing {
  readonly #watch = new Stopwatch();
  readonly #trace: MessageTrace;

  constructor({ app, name: handler }: { readonly app: string; readonly name: string }, connection: string, remote: Remote) {
    const started = this.#watch.started;
    this.#trace = { app, handler, connection, remote, started, ended: undefined, code: undefined, outcome: undefined };
  }

  /** Handles it, with what is bound to the channel. */
  run(handle: () => void): void {
    runTraced(messageTraces, this.#trace, handle);
  }

  /** Its answer was handed over, or it failed. */
  end(error?: Error): void {
    this.#trace.outcome = error === undefined ? 'done' : 'failed';
    endTrace(messageTraces, this.#trace, this.#watch.now(), error);
  }
}
