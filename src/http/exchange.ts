import { currentContext, namedContext, type AsyncContext } from '../async-context.js';
import type { About, CloseReason } from '../decorators/hook-types.js';
import type { RouteAbout } from '../decorators/connection/route-types.js';
import { observed, publish } from '../diagnostics.js';
import type { Remote } from '../endpoints/endpoint.js';
import { resetSocket } from '../endpoints/net/reset-socket.js';
import { asError, LimitError, type BoundaryError } from '../errors.js';
import { isResponse } from '../is-response.js';
import type { Framing } from '../framing/framing.js';
import { raw } from '../framing/raw.js';
import { abortReason, closeReason, isCausedByClosing, reasonOfFailure, reasonOfLimit } from '../session/close-reasons.js';
import { connectionId } from '../session/connection-id.js';
import type { Methods } from '../session/handler/message-router.js';
import { connectionNames } from '../session/event-names.js';
import { runFinalHooks } from '../session/final-hooks.js';
import type { RequestScope, RequestHost } from '../reactor/request-host.js';
import { HandlerRunner, type HandlerRunnerHost, type EndingState } from '../session/handler/handler-runner.js';
import type { Built } from '../session/handler/handler-types.js';
import { startOwned, type SessionOrigin } from '../session/session-host.js';
import type { Settings } from '../session/settings.js';
import { ownerOf } from '../session/handler/worker-events.js';
import type { Owner } from '../workers/call/owner.js';
import type { ConnectionBlueprint } from '../blueprint/types.js';
import { whenClosed, type ResponseOwner } from './closes.js';
import type { RequestArrival } from './arrival.js';
import { askFallback, askRoute, type AskedRequest } from './ask.js';
import { endEventStream } from '../web/event-streams.js';
import type { IncomingMessage } from 'node:http';
import { requestOf, type BodyLimits } from '../web/incoming.js';
import { madeRequest, webRequest, type RequestSource } from '../web/light/request.js';
import { readBody, wholeBodyOf, type BodyReader } from '../web/request/read-body.js';
import { pathOfTarget } from '../web/request-target.js';
import { unrouted } from './routes/unrouted.js';
import { noPeer } from './no-peer.js';
import { RequestFacts } from './request-facts.js';
import { originOf } from '../web/request/origin.js';
import { writeAnswer, type Answer } from './outgoing.js';
import type { RouteBlueprint } from '../blueprint/connection/route-types.js';
import { requestTraces } from '../diagnostics/traces.js';
import { RequestTracing } from './request-tracing.js';
import { ResponseReader } from './reader.js';
import { errorStatusOf } from '../web/status.js';

/** How long `@OnClose` waits for hooks that do not finish, in milliseconds. */
const STRAGGLERS = 5_000;
const DONE = closeReason('local END');
/** Answered, and nothing is wrong: as common as requests are, so it is made once. */
const ANSWERED = abortReason(DONE);
const LEFT = closeReason('peer ECONNRESET');
/** Return values of hooks are not sent: a request has one answer. */
const NO_FRAMING = raw() as Framing<unknown, unknown>;

/** Second argument of `@OnRequest` and routes: facts besides the request. */
export type RequestAbout = RouteAbout;

/** One request with the handler that was made for it: from its head to its last byte, then `@OnClose`. */
export class Exchange implements RequestScope, HandlerRunnerHost, EndingState, RequestSource, BodyReader, AskedRequest, ResponseOwner {
  readonly host: RequestHost;
  readonly settings: Settings;
  readonly limits: BodyLimits;
  readonly runner: HandlerRunner;
  readonly built: Built;
  readonly owner: Owner | undefined;
  readonly framing = NO_FRAMING;
  listIndex = -1;
  /** The request's: Node has one for all requests of a socket. */
  readonly context: AsyncContext;
  readonly #arrival: RequestArrival;
  readonly #origin: SessionOrigin;
  readonly #serial: number;
  /** Made when a signal is first asked for. */
  #abort: AbortController | undefined;
  /** Why the client did not get its answer. */
  #left: Error | undefined;
  /** The first counts. */
  #reason: CloseReason | undefined;
  /** The answer is sent, or cannot be any more. */
  #over = false;
  #finished = false;
  /** The reason that its calls are aborted with; set once it is over. */
  #aborted: Error | undefined;
  #owned: Disposable[] | undefined;
  /** The decorator of the method that is asked, for events. */
  #hook = 'OnRequest';
  /** Made when they are asked for. */
  #web: Request | undefined;
  #about: RequestFacts | undefined;
  /** There once it has been read as a whole. */
  #body: Buffer | undefined;
  /** There where something listens. */
  #tracing: RequestTracing | undefined;
  /** The handler's error. */
  #error: Error | undefined;

  /** Makes the handler. Throws what its constructor throws. */
  constructor(host: RequestHost, settings: Settings, arrival: RequestArrival, origin: SessionOrigin) {
    const { plan } = settings;
    this.host = host;
    this.settings = settings;
    this.limits = settings.limits;
    this.#arrival = arrival;
    this.#origin = origin;
    this.#serial = host.nextId();
    this.context = namedContext({ handler: plan.name, serial: this.#serial }, currentContext);
    this.runner = new HandlerRunner(this, plan, false);
    if (plan.wantsOwner) this.owner = ownerOf(this, arrival.caller);
    const peer = noPeer(this);
    try {
      this.built = this.context.runInAsyncScope(() => plan.build(peer, this.owner));
    } catch (error) {
      this.owner?.abort(error);
      this.owner?.close();
      throw error;
    }
    this.runner.setInstance(this.built.instance);
  }

  // ── RequestScope ──

  get id(): string {
    return connectionId(this.#serial);
  }

  get isIdle(): boolean {
    return this.runner.isIdle;
  }

  open(): void {
    const { plan } = this.settings;
    if (observed('connection.open')) publish('connection.open', { remote: this.remote, ...connectionNames(this) });
    this.#owned = this.context.runInAsyncScope(() => startOwned(this.host, plan, this.runner, () => this.id));
    whenClosed(this.#arrival.response, this);
    this.context.runInAsyncScope(this.#begin, this);
  }

  async shutdown(): Promise<void> {
    if (this.#over) return;
    if (this.owner) this.owner.isAllowedWhileClosing = true;
    await this.runner.runHook('OnShutdown', this.settings.plan.blueprint.hooks.shutdown);
    if (this.owner && !this.#over) this.owner.isAllowedWhileClosing = false;
    endEventStream(this.#arrival.response);
  }

  finishNow(reason: CloseReason): void {
    this.#drop(reason);
    this.#finish();
  }

  // ── HandlerRunnerHost ──

  get remote(): Remote {
    return this.#arrival.remote;
  }

  get state(): EndingState {
    return this;
  }

  // ── EndingState ──

  get isOver(): boolean {
    return this.#over;
  }

  readonly isLeaving = false;

  isCauseOf(error: Error): boolean {
    return this.#aborted !== undefined && isCausedByClosing(error, this.#aborted);
  }

  reply(): void {}

  waitForRoom(): undefined {}

  onUnhandledError(error: Error, about: About): void {
    this.#log(error, about);
    this.#refuse(error);
  }

  onHandlerPending(): void {}

  onHandlerSettled(): void {
    if (this.#over && this.runner.isIdle) this.#finish();
  }

  // ── its own ──

  #begin(): void {
    if (requestTraces.hasSubscribers) {
      const { request, response } = this.#arrival;
      this.#tracing = new RequestTracing(connectionNames(this), this.remote, request, response);
      this.#tracing.run(() => this.#serve());
    } else this.#serve();
  }

  /** From the request to the last word of its answer. */
  #serve(): void {
    this.runner.pendingReplies++;
    try {
      const answer = this.#answer();
      const sent = answer instanceof Promise ? this.#sendLater(answer) : answer && writeAnswer(answer, this.#arrival.response, this);
      if (sent) void this.#seeThrough(sent);
      else this.#served();
    } catch (thrown) {
      this.#failed(asError(thrown));
      this.#served();
    }
  }

  async #sendLater(pending: Promise<Answer>): Promise<void> {
    const sent = writeAnswer(await pending, this.#arrival.response, this);
    if (sent) await sent;
  }

  async #seeThrough(sent: Promise<void>): Promise<void> {
    try {
      await sent;
    } catch (thrown) {
      this.#failed(asError(thrown));
    }
    this.#served();
  }

  #served(): void {
    this.runner.pendingReplies--;
    this.onHandlerSettled();
  }

  /** The handler's answer; undefined: no handler was called. */
  #answer(): Answer | undefined | Promise<Answer> {
    const { request: incoming, secure, routes } = this.#arrival;
    if (originOf(secure, this.requestedHost) === undefined) {
      this.#arrival.answer(400, 'the url or Host makes no sense');
      return undefined;
    }
    const { method = 'GET' } = incoming;
    if (method === 'TRACE') {
      this.#arrival.answer(501, 'TRACE is not answered');
      return undefined;
    }
    if (!routes) return askFallback(this);
    const path = pathOfTarget(incoming);
    const match = routes.router.match(method, path);
    if (match) return askRoute(this, match);
    return routes.hasFallback ? askFallback(this) : unrouted(method, routes.methodsAt(path));
  }

  // ── AskedRequest ──

  get methods(): Methods {
    // The blueprint was read from this very class.
    return this.built.instance as Methods;
  }

  get blueprint(): ConnectionBlueprint {
    return this.settings.plan.blueprint;
  }

  get about(): RequestAbout {
    return (this.#about ??= new RequestFacts(this, this.#arrival));
  }

  onRouted({ as, path }: RouteBlueprint): void {
    this.#hook = as;
    this.#tracing?.onRouted(path);
  }

  misfits(error: BoundaryError): void {
    this.#reason ??= reasonOfFailure(error);
  }

  async explain(error: Error, hook: string): Promise<Response> {
    if (this.isCauseOf(error)) throw error;
    for (const key of this.blueprint.hooks.error) {
      const answer = await this.methods[key]!(error, { during: 'message', hook } satisfies About);
      if (isResponse(answer)) return answer;
    }
    throw error;
  }

  /** Sees to it that the client goes on reading. */
  reader(): ResponseReader {
    const { drainTimeout } = this.settings.limits;
    return new ResponseReader(this.#arrival.response, this.host.clock, drainTimeout, () => {
      const error = new LimitError('drainTimeout', `the client took nothing for ${drainTimeout} ms`);
      publish('connection.limit', { ...connectionNames(this), limit: error.limit });
      this.#drop(reasonOfLimit('drainTimeout', error));
    });
  }

  // ── RequestSource: the request, as far as it is asked for ──

  get incoming(): IncomingMessage {
    return this.#arrival.request;
  }

  get requestedHost(): string {
    return this.#arrival.host ?? this.incoming.headers.host ?? 'localhost';
  }

  get origin(): string {
    // A malformed origin is refused before a handler is asked.
    return originOf(this.#arrival.secure, this.requestedHost)!;
  }

  /** Aborts when the client leaves. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#left) this.#abort.abort(this.#left);
    return this.#abort.signal;
  }

  isAllowedOrigin(origin: string): boolean {
    return this.#arrival.cors?.names(origin) ?? false;
  }

  request(): Request {
    return (this.#web ??= webRequest(this));
  }

  whole(): Promise<Buffer> {
    if (this.#body) return Promise.resolve(this.#body);
    const made = this.#web && madeRequest(this.#web);
    if (made) return wholeBodyOf(made);
    return readBody(this.incoming, this.settings.limits, this.host.clock, this);
  }

  bodyRead(body: Buffer): void {
    this.#body = body;
  }

  bodyFailed(): void {
    this.#arrival.isLast();
  }

  real(url: string, headers: Headers, used: Uint8Array | undefined): Request {
    return requestOf(this, { url, headers, body: used ?? this.#body }, this.limits, this.host.clock, () => this.bodyFailed());
  }

  #failed(error: Error): void {
    if (this.isCauseOf(error)) return;
    this.#error = error;
    if (errorStatusOf(error).status === 500 || this.#arrival.response.headersSent)
      this.#log(error, { during: 'message', hook: this.#hook });
    this.#refuse(error);
  }

  #refuse(error: Error): void {
    this.#reason ??= reasonOfFailure(error);
    const { status, text } = errorStatusOf(error);
    if (!this.#over) this.#arrival.answer(status, text);
  }

  #drop(reason: CloseReason): void {
    this.#reason ??= reason;
    // The socket, not the response: one that waits for earlier answers has no socket yet. Reset, so that a cut-off answer looks like one.
    resetSocket(this.#arrival.raw);
    this.onClosed();
  }

  #log(error: Error, { during, hook }: About): void {
    publish('connection.error', { ...connectionNames(this), during, hook, error });
  }

  /** A callback that runs when a response closes threw. */
  onCloseFailed(): void {
    this.#arrival.raw.destroy();
    this.onClosed();
  }

  /** The answer is sent, or the client is gone. */
  onClosed(): void {
    if (this.#over) return;
    this.#over = true;
    this.#tracing?.onEnded(this.#error);
    const { response } = this.#arrival;
    const reason = (this.#reason ??= response.writableFinished ? DONE : LEFT);
    const aborted = (this.#aborted = reason === DONE ? ANSWERED : abortReason(reason));
    if (response.writableFinished) this.#arrival.onAnswered(this.host.clock, this.settings.limits.messageTimeout);
    else {
      this.#left = aborted;
      this.#abort?.abort(aborted);
    }
    for (const owned of this.#owned ?? []) owned[Symbol.dispose]();
    this.owner?.abort(aborted);
    this.runner.stopStreams();
    this.#origin.onConnectionOver(this.#arrival);
    if (this.runner.isIdle) this.#finish();
    else this.host.clock.after(STRAGGLERS, () => this.#finish());
  }

  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    // Most have nothing to do at the end.
    if (this.blueprint.hooks.close.length === 0 && !this.owner && !this.built.dispose && !observed('connection.close'))
      this.host.onRequestScopeEnded(this);
    else void runFinalHooks(this, this.#reason!).then(() => this.host.onRequestScopeEnded(this));
  }
}
