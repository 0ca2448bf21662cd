import { currentContext, namedContext, type AsyncContext } from '../async-context.js';
import { runAround } from '../around/chain.js';
import { aroundsOf } from '../blueprint/arounds.js';
import { failing, guard } from '../guard.js';
import type { About, CloseReason } from '../decorators/hook-types.js';
import type { RouteAbout } from '../decorators/connection/route-types.js';
import { observed, publish } from '../diagnostics.js';
import type { Remote } from '../endpoints/endpoint.js';
import { resetSocket } from '../endpoints/net/reset-socket.js';
import { asError, BoundaryError, LimitError, UsageError } from '../errors.js';
import type { Framing } from '../framing/framing.js';
import { raw } from '../framing/raw.js';
import { abortReason, reasonOfError, isCausedByClosing } from '../session/close-reason.js';
import { connectionId } from '../session/connection-id.js';
import type { Methods } from '../session/handler/message-router.js';
import { namesOf } from '../session/event-names.js';
import { finalHooks } from '../session/final-hooks.js';
import type { RequestScope, RequestHost } from '../reactor/request-host.js';
import { HandlerRunner, type HandlerRunnerHost } from '../session/handler/handler-runner.js';
import type { Built } from '../session/handler/handler-types.js';
import { startOwned, type SessionOrigin } from '../session/session-host.js';
import type { Settings } from '../session/settings.js';
import { ownerOf } from '../session/handler/worker-events.js';
import type { Owner } from '../workers/call/owner.js';
import type { RequestArrival } from './arrival.js';
import { endEventStream } from '../web/event-streams.js';
import { requestOf, requestUrlOf } from '../web/incoming.js';
import { PlainAnswer, misfit, writePlain } from './plain-answer.js';
import { readBody } from '../web/request/read-body.js';
import { pathOfTarget } from '../web/request-target.js';
import { inputOf, type RouteSource } from './routes/input.js';
import { answerOf } from './routes/returned.js';
import type { RouteMatch } from '../web/routes/router.js';
import { unrouted } from './routes/unrouted.js';
import { noPeer } from './no-peer.js';
import { originOf } from '../web/request/origin.js';
import { writeResponse } from './outgoing.js';
import { requestTraces } from '../diagnostics/traces.js';
import { RequestTracing } from './request-tracing.js';
import { ResponseReader } from './reader.js';
import { errorStatusOf } from '../web/status.js';

/** How long `@OnClose` waits for hooks that do not finish, in milliseconds. */
const STRAGGLERS = 5_000;
const DONE: CloseReason = { by: 'local', code: 'END' };
/** Answered, and nothing is wrong: as common as requests are, so it is made once. */
const ANSWERED = abortReason(DONE);
const LEFT: CloseReason = { by: 'peer', code: 'ECONNRESET' };
/** What hooks return is not sent: a request has one answer. */
const NO_FRAMING = raw() as Framing<unknown, unknown>;

/** What `@OnRequest` and routes are told besides the request. */
export type RequestAbout = RouteAbout;

type Answer = Response | PlainAnswer;

function reasonOf(error: Error): CloseReason {
  if (!(error instanceof LimitError)) return reasonOfError(error);
  return { by: error.limit.endsWith('Timeout') ? 'timeout' : 'limit', code: error.limit, error };
}

/** One request with the handler that was made for it: from its head to its last byte, then `@OnClose`. */
export class Exchange implements RequestScope, HandlerRunnerHost {
  readonly host: RequestHost;
  readonly settings: Settings;
  readonly runner: HandlerRunner;
  readonly built: Built;
  readonly owner: Owner | undefined;
  readonly framing = NO_FRAMING;
  /** The request's: Node has one for all requests of a socket. */
  readonly context: AsyncContext;
  readonly #arrival: RequestArrival;
  readonly #origin: SessionOrigin;
  readonly #serial: number;
  readonly #abort = new AbortController();
  /** The first counts. */
  #reason: CloseReason | undefined;
  /** The answer is sent, or cannot be any more. */
  #over = false;
  #finished = false;
  /** What its calls are aborted with; there once it is over. */
  #aborted: Error | undefined;
  #owned: Disposable[] | undefined;
  /** Made when it is asked for. */
  #web: Request | undefined;
  /** There once it has been read as a whole. */
  #body: Buffer | undefined;
  /** There where something listens. */
  #tracing: RequestTracing | undefined;
  /** What the handler failed with. */
  #error: Error | undefined;

  /** Makes the handler. Throws what its constructor throws. */
  constructor(host: RequestHost, settings: Settings, arrival: RequestArrival, origin: SessionOrigin) {
    const { plan } = settings;
    this.host = host;
    this.settings = settings;
    this.#arrival = arrival;
    this.#origin = origin;
    this.#serial = host.nextId();
    this.context = namedContext({ handler: plan.name, serial: this.#serial }, currentContext);
    this.runner = new HandlerRunner(this, plan, false);
    if (plan.wantsOwner) this.owner = ownerOf(this, arrival.caller);
    const peer = noPeer(() => this.id);
    try {
      this.built = this.context.runInAsyncScope(() => plan.build(peer, this.owner));
    } catch (error) {
      this.owner?.abort(error);
      this.owner?.close();
      throw error;
    }
    this.runner.serve(this.built.instance);
  }

  // ── Guest ──

  get id(): string {
    return connectionId(this.#serial);
  }

  get quiet(): boolean {
    return this.runner.isIdle;
  }

  open(): void {
    const { plan } = this.settings;
    if (observed('connection.open')) publish('connection.open', { ...namesOf(this), remote: this.remote });
    this.#owned = this.context.runInAsyncScope(() => startOwned(this.host, plan, this.runner, () => this.id));
    this.#arrival.response.once(
      'close',
      guard(
        failing(() => {
          this.#arrival.raw.destroy();
          this.#closed();
        }),
        () => this.#closed(),
      ),
    );
    this.context.runInAsyncScope(() => {
      const { request, response } = this.#arrival;
      if (requestTraces.hasSubscribers) this.#tracing = new RequestTracing({ ...namesOf(this), remote: this.remote }, request, response);
      const serve = (): void => void this.#serve();
      if (this.#tracing) this.#tracing.run(serve);
      else serve();
    });
  }

  async shutdown(): Promise<void> {
    if (this.#over) return;
    if (this.owner) this.owner.exempt = true;
    await this.runner.hook('OnShutdown', this.settings.plan.blueprint.hooks.shutdown);
    if (this.owner && !this.#over) this.owner.exempt = false;
    endEventStream(this.#arrival.response);
  }

  abandon(reason: CloseReason): void {
    this.#drop(reason);
    this.#finish();
  }

  // ── LineHost ──

  get remote(): Remote {
    return this.#arrival.remote;
  }

  readonly state = {
    isOver: false,
    isLeaving: false,
    causes: (error: Error): boolean => this.#aborted !== undefined && isCausedByClosing(error, this.#aborted),
  };

  reply(): void {}

  room(): undefined {}

  fail(error: Error, about: About): void {
    this.#log(error, about);
    this.#refuse(error);
  }

  working(): void {}

  settled(): void {
    if (this.#over && this.runner.isIdle) this.#finish();
  }

  // ── its own ──

  /** From the request to the last word of its answer. Never rejects. */
  async #serve(): Promise<void> {
    const { response } = this.#arrival;
    const { drainTimeout } = this.settings.limits;
    this.runner.pendingReplies++;
    try {
      const answer = await this.#answer();
      if (answer) {
        const client = new ResponseReader(response, this.host.clock, drainTimeout, () => {
          const error = new LimitError('drainTimeout', `the client took nothing for ${drainTimeout} ms`);
          publish('connection.limit', { ...namesOf(this), limit: error.limit });
          this.#drop({ by: 'limit', code: error.limit, error });
        });
        if (answer instanceof Response) await writeResponse(answer, response, client);
        else if (!client.isGone) writePlain(answer, response);
        client.watch();
      }
    } catch (thrown) {
      this.#failed(asError(thrown));
    }
    this.runner.pendingReplies--;
    this.settled();
  }

  /** What the handler answers; undefined: there was nothing to ask it. */
  async #answer(): Promise<Answer | undefined> {
    const { request: incoming, secure, host = incoming.headers.host ?? 'localhost' } = this.#arrival;
    if (originOf(secure, host) === undefined) {
      this.#arrival.answer(400, 'the url or Host makes no sense');
      return undefined;
    }
    const { method = 'GET' } = incoming;
    if (method === 'TRACE') {
      this.#arrival.answer(501, 'TRACE is not answered');
      return undefined;
    }
    const { routes } = this.#arrival;
    if (!routes) return this.#askFallback();
    const path = pathOfTarget(incoming);
    const match = routes.router.match(method, path);
    if (match) return this.#askRoute(match, host);
    return routes.hasFallback ? this.#askFallback() : unrouted(method, routes.methodsAt(path));
  }

  /** Asks `@OnRequest`. */
  async #askFallback(): Promise<Answer> {
    const { blueprint, name } = this.settings.plan;
    const about = this.#about;
    try {
      for (const key of blueprint.hooks.request) {
        const answer = await this.#inside(key, undefined, () => this.#methods[key]!(this.#request(), about));
        if (answer instanceof Response) return answer;
        if (answer !== undefined) break;
      }
      throw new UsageError(`@OnRequest of ${name} returned no Response`);
    } catch (thrown) {
      return this.#explained(asError(thrown), 'OnRequest');
    }
  }

  async #askRoute(match: RouteMatch, host: string): Promise<Answer> {
    const { route } = match;
    const source: RouteSource = {
      incoming: this.#arrival.request,
      host,
      request: () => this.#request(),
      body: () => this.#wholeBody(),
    };
    try {
      const input = await inputOf(match, source);
      if (input instanceof PlainAnswer) return input;
      this.#tracing?.routed(route.path);
      const returned = await this.#inside(route.key, route.path, () => this.#methods[route.key]!(input, this.#about));
      return await answerOf(returned, route, () => this.#abort.signal);
    } catch (thrown) {
      const error = asError(thrown);
      try {
        return await this.#explained(error, route.as);
      } catch (unexplained) {
        if (unexplained !== error || !(error instanceof BoundaryError) || error.statusCode !== 400) throw unexplained;
        this.#reason ??= reasonOf(error);
        return misfit(error);
      }
    }
  }

  get #about(): RequestAbout {
    const { remote, id } = this;
    const { tls } = this.#arrival;
    return { remote, tls, id };
  }

  /** The web's view of the request. */
  #request(): Request {
    if (this.#web) return this.#web;
    const { request: incoming, secure, host } = this.#arrival;
    // Its origin makes sense, or nothing is asked.
    const url = requestUrlOf(incoming, secure, host)!;
    const { limits } = this.settings;
    // A client that has failed to send a body whole is not asked for another request.
    const failed = (): void => this.#arrival.isLast();
    return (this.#web = requestOf(incoming, url, this.#abort.signal, limits, this.host.clock, failed, this.#body));
  }

  async #wholeBody(): Promise<Buffer> {
    try {
      return (this.#body = await readBody(this.#arrival.request, this.settings.limits, this.host.clock));
    } catch (error) {
      this.#arrival.isLast();
      throw error;
    }
  }

  /** Calls one method inside the functions that stand around it. */
  #inside(key: PropertyKey, route: string | undefined, ask: () => unknown): unknown {
    const { blueprint, name: handler } = this.settings.plan;
    const fns = aroundsOf(blueprint.arounds, 'request', key);
    if (fns.length === 0) return ask();
    const method = String(key);
    const { id, remote } = this;
    const what = { kind: 'request', name: `${handler}.${method}`, handler, method, request: this.#request(), route } as const;
    return runAround(fns, { ...what, instance: this.built.instance, connection: { id, remote }, signal: this.#abort.signal }, ask);
  }

  /** What `@OnError` makes of it. Rejects with the error when that is no Response. */
  async #explained(error: Error, hook: string): Promise<Response> {
    if (this.state.causes(error)) throw error;
    for (const key of this.settings.plan.blueprint.hooks.error) {
      const answer = await this.#methods[key]!(error, { during: 'message', hook } satisfies About);
      if (answer instanceof Response) return answer;
    }
    throw error;
  }

  get #methods(): Methods {
    // The blueprint was read from this very class.
    return this.built.instance as Methods;
  }

  #failed(error: Error): void {
    if (this.state.causes(error)) return;
    this.#error = error;
    if (errorStatusOf(error).status === 500 || this.#arrival.response.headersSent)
      this.#log(error, { during: 'message', hook: 'OnRequest' });
    this.#refuse(error);
  }

  #refuse(error: Error): void {
    this.#reason ??= reasonOf(error);
    const { status, text } = errorStatusOf(error);
    if (!this.#over) this.#arrival.answer(status, text);
  }

  #drop(reason: CloseReason): void {
    this.#reason ??= reason;
    // The socket, not the response: one that waits for earlier answers has no socket yet. Reset, so that a cut-off answer looks like one.
    resetSocket(this.#arrival.raw);
    this.#closed();
  }

  #log(error: Error, { during, hook }: About): void {
    publish('connection.error', { ...namesOf(this), during, hook, error });
  }

  /** The answer is sent, or the client is gone. */
  #closed(): void {
    if (this.#over) return;
    this.#over = true;
    this.state.isOver = true;
    this.#tracing?.ended(this.#error);
    const { response } = this.#arrival;
    const reason = (this.#reason ??= response.writableFinished ? DONE : LEFT);
    const aborted = (this.#aborted = reason === DONE ? ANSWERED : abortReason(reason));
    if (response.writableFinished) this.#arrival.answered(this.host.clock, this.settings.limits.messageTimeout);
    else this.#abort.abort(aborted);
    for (const owned of this.#owned ?? []) owned[Symbol.dispose]();
    this.owner?.abort(aborted);
    this.runner.stop();
    this.#origin.left(this.#arrival);
    if (this.runner.isIdle) this.#finish();
    else this.host.clock.after(STRAGGLERS, () => this.#finish());
  }

  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    void finalHooks(this, this.#reason!).then(() => this.host.departed(this));
  }
}
