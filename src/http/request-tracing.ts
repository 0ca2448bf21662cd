import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Remote } from '../endpoints/endpoint.js';
import type { ConnectionNames } from '../session/event-names.js';
import type { RequestTrace } from '../diagnostics/trace-types.js';
import { endTrace, requestTraces, Stopwatch, runTraced } from '../diagnostics/traces.js';

/** Publishes what becomes of one request. */
export class RequestTracing {
  readonly #watch = new Stopwatch();
  readonly #trace: RequestTrace;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #before: { readonly read: number; readonly written: number };

  constructor({ app, handler, connection }: ConnectionNames, remote: Remote, request: IncomingMessage, response: ServerResponse) {
    const { method = '', url: target = '', headers, socket } = request;
    this.#request = request;
    this.#response = response;
    this.#before = { read: socket.bytesRead, written: socket.bytesWritten };
    this.#trace = {
      app,
      handler,
      connection,
      remote,
      method,
      target,
      headers,
      route: undefined,
      started: this.#watch.started,
      ended: undefined,
      duration: undefined,
      status: undefined,
      outcome: undefined,
      code: undefined,
      bytes: { received: 0, sent: 0 },
    };
  }

  /** The path as it was declared, once it is known. */
  onRouted(route: string): void {
    this.#trace.route = route;
  }

  /** Serves it, with what is bound to the channel. */
  run(serve: () => void): void {
    runTraced(requestTraces, this.#trace, serve);
  }

  /** Its answer is sent, or the client has left. */
  onEnded(error: Error | undefined): void {
    const { socket } = this.#request;
    const trace = this.#trace;
    const { headersSent, statusCode } = this.#response;
    const ended = this.#watch.now();
    trace.duration = ended - trace.started;
    trace.status = headersSent ? statusCode : undefined;
    trace.outcome = trace.status !== undefined && trace.status < 500 ? 'done' : 'failed';
    trace.bytes.received = socket.bytesRead - this.#before.read;
    trace.bytes.sent = socket.bytesWritten - this.#before.written;
    endTrace(requestTraces, trace, ended, error);
  }
}
