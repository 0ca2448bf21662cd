import {
  context,
  SpanKind,
  SpanStatusCode,
  trace as api,
  type Attributes,
  type Context,
  type Span,
  type Tracer,
  type TracerProvider,
} from '@opentelemetry/api';
import type { App } from '../app/app.js';
import type { CallTrace, MessageTrace, RequestTrace, TraceEnd } from '../diagnostics/trace-types.js';
import { careful } from '../diagnostics/careful.js';
import { callTraces, messageTraces, requestTraces, surround, type Surrounding } from '../diagnostics/traces.js';
import { checkApp, checkGiven, object } from '../option-rules.js';
import { answerAttributes, callAttributes, requestAttributes } from './attributes.js';
import { extracted, injectContext } from './carrier.js';
import { OnePerApp } from './one-per-app.js';

/** The options of {@link tracing}. */
export interface TracingOptions {
  /** Where tracers come from. Default: the provider that was registered with the API. */
  tracerProvider?: TracerProvider | undefined;
}

/** Ends with its application, or when it is disposed of. */
export interface Tracing extends Disposable {
  /** Makes no more spans; those that are open end with their requests and calls. */
  end(): void;
}

/** The path of a request without its query, which may have secrets in it. */
function pathOf(target: string): string {
  const at = target.indexOf('?');
  return at < 0 ? target : target.slice(0, at);
}

function finish(span: Span, { error, code, ended }: TraceEnd): void {
  if (error !== undefined) {
    span.setAttribute('error.type', code ?? error.name);
    span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
    span.recordException(error);
  }
  span.end(ended);
}

/** The spans of one application. All of them are made and ended in the master, which knows when a process is dead. */
class Spans {
  readonly #tracer: Tracer;
  readonly #open = new WeakMap<object, Span>();
  readonly #app: string;

  constructor(tracer: Tracer, app: string) {
    this.#tracer = tracer;
    this.#app = app;
  }

  request(request: RequestTrace): Context {
    const parent = extracted(request.headers) ?? context.active();
    if (request.app !== this.#app) return context.active();
    const { method, target, remote, started } = request;
    const attributes = { ...requestAttributes(request), 'url.path': pathOf(target), 'client.address': remote.address };
    return this.#begin(request, method, SpanKind.SERVER, started, attributes, parent);
  }

  message(message: MessageTrace): Context {
    if (message.app !== this.#app) return context.active();
    const { handler, connection, remote, started } = message;
    const attributes = {
      'packet_ts.app': this.#app,
      'packet_ts.handler': handler,
      'packet_ts.connection': connection,
      'client.address': remote.address,
    };
    return this.#begin(message, `${handler} message`, SpanKind.SERVER, started, attributes, context.active());
  }

  call(call: CallTrace): void {
    if (call.app !== this.#app) return;
    // A call that is made in a task brings the carrier of the task's own call.
    const parent = extracted(call.carrier) ?? context.active();
    const name = `${call.worker}/${call.task}`;
    injectContext(this.#begin(call, name, SpanKind.CLIENT, call.queued, callAttributes(call), parent), call.carrier);
  }

  ended(traced: RequestTrace | MessageTrace | CallTrace): void {
    const span = this.#open.get(traced);
    if (!span) return;
    this.#open.delete(traced);
    if ('task' in traced) this.#parts(span, traced);
    else if ('method' in traced) answered(span, traced);
    finish(span, traced);
  }

  #begin(traced: object, name: string, kind: SpanKind, startTime: number, attributes: Attributes, parent: Context): Context {
    const span = this.#tracer.startSpan(name, { kind, startTime, attributes }, parent);
    this.#open.set(traced, span);
    return api.setSpan(parent, span);
  }

  /** Spans of the two parts of a call: it waited, then it ran. */
  #parts(span: Span, call: CallTrace): void {
    const { queued, started, ended, attempt, workerPid, process, outcome, bytes } = call;
    const within = api.setSpan(context.active(), span);
    span.setAttributes({
      'packet_ts.outcome': outcome,
      'packet_ts.attempt': attempt,
      'packet_ts.bytes.sent': bytes.sent,
      'packet_ts.bytes.received': bytes.received,
    });
    this.#tracer.startSpan('queued', { startTime: queued }, within).end(started ?? ended);
    if (started === undefined) return;
    const attributes = { 'process.pid': workerPid, 'packet_ts.process': process };
    finish(this.#tracer.startSpan('run', { startTime: started, attributes }, within), call);
  }
}

function answered(span: Span, request: RequestTrace): void {
  const { method, route, status, bytes } = request;
  if (route !== undefined) span.updateName(`${method} ${route}`);
  span.setAttributes({
    ...answerAttributes(request),
    'http.request.body.size': bytes.received,
    'http.response.body.size': bytes.sent,
  });
  if (status !== undefined && status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
}

/** Runs what is traced in the context that is made for it; where none can be made, without. */
function inContext<T extends object>(app: string, contextOf: (traced: T) => Context): Surrounding<T> {
  let made: Context | undefined;
  const make = careful(app, 'tracing()', (traced: T) => void (made = contextOf(traced)));
  return (traced, run) => {
    const within = make(traced) ? made : undefined;
    return within ? context.with(within, run) : run();
  };
}

const tracings = new OnePerApp('tracing()');

/**
 * Makes spans for the requests, messages and calls of an application: a request or message, below it the calls that it makes, below these
 * the time in the queue, the run in its process, and the calls that its task makes. A request brings its parent in `traceparent`; what a
 * task sees as `context.carrier` names the span of its call. The span of a task whose process was killed ends with that error. Asked again for
 * the same application it is the same tracing: nothing has two spans.
 * @throws UsageError for an option that does not exist, and where the application is traced for another provider already.
 */
export function tracing(app: App, options: TracingOptions = {}): Tracing {
  checkApp('tracing()', app);
  checkGiven('tracing()', options, { tracerProvider: object });
  const provider = options.tracerProvider ?? api.getTracerProvider();
  return tracings.observe(app, provider, () => trace(app, new Spans(provider.getTracer('packet-ts'), app.name)));
}

/** Subscribes to what spans are made of; returns the end of that. */
function trace(app: App, spans: Spans): () => void {
  const begun = careful(app.name, 'tracing()', (call: unknown): void => spans.call(call as CallTrace));
  const ended = careful(app.name, 'tracing()', (traced: unknown): void => spans.ended(traced as CallTrace));
  const ends = [
    surround(
      requestTraces,
      inContext(app.name, request => spans.request(request)),
    ),
    surround(
      messageTraces,
      inContext(app.name, message => spans.message(message)),
    ),
    () => callTraces.start.unsubscribe(begun),
  ];
  callTraces.start.subscribe(begun);
  for (const { asyncEnd } of [requestTraces, messageTraces, callTraces]) {
    asyncEnd.subscribe(ended);
    ends.push(() => asyncEnd.unsubscribe(ended));
  }
  return () => {
    for (const each of ends) each();
  };
}
