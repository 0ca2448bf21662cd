import type { ConnectionBlueprint, Ctor, EndpointBlueprint } from '../blueprint/types.js';
import type { Clock } from '../clock.js';
import { publish } from '../diagnostics.js';
import type { Arrival, SocketSource, Transport } from '../endpoints/endpoint.js';
import { asError, ClosingError, ConfigurationError } from '../errors.js';
import { isResponse } from '../is-response.js';
import { TimerHeap } from '../timing/timer-heap.js';
import { broadcast } from './broadcast.js';
import { BufferBudget } from '../session/outbound/buffer-budget.js';
import { Channels } from '../channels/channel.js';
import { closeReason } from '../session/close-reasons.js';
import { planOf, type HandlerPlan } from '../session/handler/message-router.js';
import { UnorderedList } from '../unordered-list.js';
import { requestScopesOf, type RequestScope, type RequestHost } from './request-host.js';
import { Listener } from './listen/listener.js';
import { descriptors } from '../endpoints/descriptors.js';
import { establish } from './dial/dial.js';
import type { Handlers } from '../session/handler/handler-types.js';
import { Session } from '../session/session.js';
import type { HandOffStarter, SessionOrigin } from '../session/session-host.js';
import { settingsFrom, settingsOf, type Settings } from '../session/settings.js';
import { Timers } from '../timing/timers.js';
import { FlushScheduler } from '../timing/flush-scheduler.js';
import { setImmediate } from '../system-timers.js';
import { limitOf, toBytes, type Off, type Size } from '../units.js';

/** The application's side of a reactor. */
export interface ReactorOptions {
  /** The application's name, for events. */
  readonly app?: string | undefined;
  readonly clock: Clock;
  readonly handlers: Handlers;
  /** Hears how many connections are open, and how many of them came in, whenever that changes. */
  onCount?(connections: number, inbound: number): void;
  /** The most bytes that may wait to be sent on all connections together. Default '256mb'. */
  readonly maxBufferedBytesTotal?: Size | Off | undefined;
  /** Hands connections off; in the master. */
  readonly handOffStarter?: HandOffStarter | undefined;
}

/** Something that begins nothing new when the reactor closes: a Dialer. */
export interface Retirable {
  retire(): Promise<void>;
}

/** How long a peer may take to finish after us when the application closes, in milliseconds. */
const CLOSE_GRACE = 2_000;

/** The default of `maxBufferedBytesTotal`: sixteen connections at their `maxBufferedBytes`. */
const MAX_BUFFERED_TOTAL = '256mb';

/** Error for an argument that is no class: the types forbid it, and a circle of imports gives one all the same. */
function noClass(given: unknown): ConfigurationError {
  const remedy =
    given === undefined ? 'modules import each other in a circle: break it' : 'give a class that is decorated with @Connection()';
  return new ConfigurationError([{ where: String(given), wrong: 'it is not a connection', remedy }]);
}

/** How long clients that keep their connections to ask for more are waited for, in milliseconds: Node lets go of idle ones after 5 s. */
const LAST_ANSWERS = 6_000;

/** Never reused in this process, whatever the number of reactors. */
let lastId = 0;

/**
 * This process's sockets and timers, without a policy of its own: what `Reactor` shows to users and the application drives when it closes.
 * Closing goes `stopListening()`, `drain()`, and past the deadline `destroy()`.
 */
export class ReactorCore implements RequestHost {
  readonly app: string;
  readonly clock: Clock;
  readonly flushScheduler = new FlushScheduler();
  readonly timerHeap: TimerHeap;
  readonly timers: Timers;
  readonly channels: Channels;
  /** Why connections are closed when the application closes. */
  closingCode: 'SHUTDOWN' | 'RELOAD' = 'SHUTDOWN';
  readonly #handlers: Handlers;
  readonly #plans = new Map<Ctor, HandlerPlan>();
  readonly #listeners = new Set<Listener>();
  readonly #dialers = new Set<Retirable>();
  /** Open connections by class. */
  readonly #open = new Map<Ctor, Set<Session>>();
  /** Closed ones whose `@OnClose` has not settled. */
  readonly #leaving = new Set<Session>();
  readonly #requestScopes = new UnorderedList<RequestScope>();
  #empty: (() => void)[] = [];
  /** Open connections that were accepted, not dialled. */
  #inbound = 0;
  #closing = false;
  readonly #counted: ReactorOptions['onCount'];
  readonly handOffStarter: HandOffStarter | undefined;
  readonly budget: BufferBudget;

  constructor({
    app = '',
    clock,
    handlers,
    onCount: counted,
    maxBufferedBytesTotal = MAX_BUFFERED_TOTAL,
    handOffStarter: mover,
  }: ReactorOptions) {
    this.budget = new BufferBudget(limitOf(toBytes(maxBufferedBytesTotal)));
    this.app = app;
    this.clock = clock;
    this.#counted = counted;
    this.handOffStarter = mover;
    this.#handlers = handlers;
    this.timerHeap = new TimerHeap(clock);
    this.timers = new Timers(clock);
    this.channels = new Channels(app);
  }

  /** A class, compiled once. Throws ConfigurationError. */
  plan(cls: Ctor): HandlerPlan {
    let plan = this.#plans.get(cls);
    if (!plan) {
      if (typeof cls !== 'function') throw noClass(cls);
      const blueprint = this.#handlers.blueprintOf(cls);
      this.#plans.set(cls, (plan = planOf(blueprint, this.#handlers.build(blueprint), this.app)));
    }
    return plan;
  }

  blueprint(cls: Ctor): ConnectionBlueprint {
    return this.plan(cls).blueprint;
  }

  /** @throws ListenError, ConfigurationError, ClosingError */
  async listen(cls: Ctor, endpoint: EndpointBlueprint): Promise<Listener> {
    return this.#listen(settingsOf(this.plan(cls), endpoint, 'listen'));
  }

  /** Listens on a socket that another process or listener has bound. `counts`: that one applies the limits, too. */
  async listenTo(source: SocketSource, cls: Ctor, endpoint: EndpointBlueprint, counts: boolean): Promise<Listener> {
    return this.#listen(settingsFrom(source, settingsOf(this.plan(cls), endpoint, 'listen'), counts));
  }

  async #listen(settings: Settings): Promise<Listener> {
    const listener = new Listener(settings, this.clock, this, arrival => this.#accept(settings, arrival, listener));
    this.#refuseWhenClosing();
    this.#listeners.add(listener);
    try {
      await listener.bind();
    } catch (error) {
      this.#listeners.delete(listener);
      throw error;
    }
    // The reactor closed while the system was binding.
    if (this.#closing) await listener.close();
    this.#refuseWhenClosing();
    return listener;
  }

  /** Serves a connection that came in somewhere else. False: its handler could not be made; it is closed then. */
  adopt(cls: Ctor, endpoint: EndpointBlueprint, arrival: Arrival, origin: SessionOrigin, data?: object): boolean {
    return this.#accept(settingsOf(this.plan(cls), endpoint, 'listen'), arrival, origin, data);
  }

  /** Dials once; resolves when `@OnConnect` has settled. Throws ConnectError, ConfigurationError, ClosingError, or what the handler threw. */
  async connect(cls: Ctor, endpoint: EndpointBlueprint, data?: object, signal?: AbortSignal): Promise<Session> {
    return this.dialOnce(settingsOf(this.plan(cls), endpoint, 'connect'), data, signal);
  }

  /** Dials once, with settings read before. */
  async dialOnce(settings: Settings, data: object | undefined, signal: AbortSignal | undefined): Promise<Session> {
    this.#refuseWhenClosing();
    return establish(this.clock, settings, signal, transport => {
      this.#refuseWhenClosing();
      descriptors.took(transport);
      return this.#begin(settings, transport, data);
    });
  }

  /** Has `dialer` retired when the reactor stops listening. */
  retireWithReactor(dialer: Retirable): Disposable {
    this.#refuseWhenClosing();
    this.#dialers.add(dialer);
    return { [Symbol.dispose]: () => this.#dialers.delete(dialer) };
  }

  get listeners(): Iterable<Listener> {
    return this.#listeners;
  }

  /** Open connections: all, or those of a class and its subclasses. */
  *sessions(cls?: Ctor): Iterable<Session> {
    for (const [known, sessions] of this.#open) {
      if (cls === undefined || known === cls || known.prototype instanceof cls) yield* sessions;
    }
  }

  count(cls?: Ctor): number {
    let count = 0;
    for (const [known, { size }] of this.#open) if (cls === undefined || known === cls || known.prototype instanceof cls) count += size;
    if (cls === undefined) return count + this.#requestScopes.size;
    for (const { settings } of this.#requestScopes) if (settings.plan.blueprint.cls === cls) count++;
    return count;
  }

  /** Sends a message to all connections of a class; a slow one does not delay the others. Throws EncodeError. */
  broadcast(cls: Ctor, message: unknown, isExcepted: (session: Session) => boolean): void {
    broadcast(
      [...this.sessions(cls)].filter(session => !isExcepted(session)),
      message,
    );
  }

  /** Runs it in the next turn, in the order of asking. */
  nextTick(run: () => unknown): void {
    const failed = (error: unknown): void => publish('hook.error', { app: this.app, hook: 'nextTick', error: asError(error) });
    setImmediate(() => {
      try {
        const outcome = run();
        if (outcome instanceof Promise) outcome.catch(failed);
      } catch (error) {
        failed(error);
      }
    });
  }

  /** Connections whose handlers are at it. */
  get busy(): number {
    let busy = 0;
    for (const session of this.sessions()) if (!session.runner.isIdle) busy++;
    for (const session of this.#leaving) if (!session.runner.isIdle) busy++;
    for (const guest of this.#requestScopes) if (!guest.isIdle) busy++;
    return busy;
  }

  /** No accepting any more. Open connections live on, but for those that are a socket which accepts. */
  async closeListeners(): Promise<void> {
    for (const session of [...this.sessions()]) if (session.transport.shared && session.origin) void session.shutdown(CLOSE_GRACE);
    await Promise.allSettled([...this.#listeners].flatMap(listener => (listener.isConnection ? [] : listener.close())));
  }

  /**
   * Another process has taken over and accepts here: connections that ask for one thing after the other are told to ask there, at most
   * until `within` ms have passed. What is closed afterwards is closed with the code RELOAD.
   */
  async handOver(within: number = LAST_ANSWERS): Promise<void> {
    this.closingCode = 'RELOAD';
    const schemes = new Set([...this.#listeners].map(({ settings }) => settings.scheme));
    const answered = Promise.all([...schemes].map(scheme => scheme.lastAnswers?.(this)));
    await Promise.race([answered, new Promise<void>(resolve => this.clock.after(within, resolve, true))]);
  }

  /** Nothing new begins: no accepting, no dialling. Open connections live on. */
  async stopListening(): Promise<void> {
    this.#closing = true;
    for (const dialer of [...this.#dialers]) void dialer.retire();
    // A udp socket closes as a connection: it has an `@OnShutdown` and answers to send.
    await Promise.allSettled([...this.#listeners].flatMap(listener => (listener.isConnection ? [] : listener.close())));
  }

  /**
   * On every connection: `@OnShutdown`, then reading stops, what is decoded is handled and answered, then flush, end,
   * `grace` ms for the peer, destroy. Resolves when the `@OnClose` of the last one has settled.
   */
  async drain(grace: number = CLOSE_GRACE): Promise<void> {
    for (const session of [...this.sessions()]) void session.shutdown(grace);
    for (const guest of this.#requestScopes) void guest.shutdown();
    await this.whenEmpty();
  }

  /** Resolves when there is no connection, and no `@OnClose` under way. */
  whenEmpty(): Promise<void> {
    return this.#isEmpty() ? Promise.resolve() : new Promise(resolve => this.#empty.push(resolve));
  }

  /** Closes every connection at once, and waits for no handler. Returns how many had not finished: open ones, and those whose `@OnClose` had not settled. */
  destroy(): number {
    const cutOff = [...this.sessions(), ...this.#leaving];
    const guests = [...this.#requestScopes];
    for (const { state } of cutOff) state.finishNow(closeReason('shutdown SHUTDOWN'));
    for (const guest of guests) guest.finishNow(closeReason('shutdown SHUTDOWN'));
    this.timers.close();
    return cutOff.length + guests.length;
  }

  // ── SessionHost ──

  nextId(): number {
    return ++lastId;
  }

  subscribe(token: Ctor, listener: (item: unknown) => unknown): Disposable {
    return this.channels.subscribe(token, listener);
  }

  onSessionClosed(session: Session): void {
    this.#open.get(session.settings.plan.blueprint.cls)?.delete(session);
    this.#leaving.add(session);
    if (session.settings.isAccepted) this.#inbound--;
    this.#reportCount();
  }

  onSessionFinished(session: Session): void {
    this.#leaving.delete(session);
    this.#resolveIfEmpty();
  }

  onRequestScopeEnded(guest: RequestScope): void {
    this.#requestScopes.delete(guest);
    this.#inbound--;
    this.#reportCount();
    this.#resolveIfEmpty();
  }

  // ── its own ──

  #resolveIfEmpty(): void {
    if (this.#empty.length === 0 || !this.#isEmpty()) return;
    const waiting = this.#empty;
    this.#empty = [];
    for (const resolve of waiting) resolve();
  }

  #accept(settings: Settings, arrival: Arrival, origin: SessionOrigin, data?: object): boolean {
    let made: Session | RequestScope;
    try {
      made = this.#receive(settings, arrival, origin, data);
    } catch (thrown) {
      // A websocket is refused with it; elsewhere it is an error like any other.
      if (isResponse(thrown) && 'request' in arrival) {
        arrival.destroy(asError(thrown));
        return false;
      }
      arrival.destroy();
      publish('connection.error', {
        app: this.app,
        handler: settings.plan.name,
        during: 'hook',
        hook: 'constructor',
        error: asError(thrown),
      });
      return false;
    }
    void made.open();
    return true;
  }

  #receive(settings: Settings, arrival: Arrival, origin: SessionOrigin, data: object | undefined): Session | RequestScope {
    const makeGuest = requestScopesOf(settings.scheme.name);
    // A scheme without guests accepts transports.
    if (!makeGuest) return this.#begin(settings, arrival as Transport, data, origin);
    const guest = makeGuest(this, settings, arrival, origin);
    this.#requestScopes.add(guest);
    this.#inbound++;
    this.#reportCount();
    return guest;
  }

  #reportCount(): void {
    this.#counted?.(this.count(), this.#inbound);
  }

  #isEmpty(): boolean {
    return this.#leaving.size === 0 && this.count() === 0;
  }

  #begin(settings: Settings, transport: Transport, data: object | undefined, origin?: SessionOrigin): Session {
    const session = new Session(this, settings, transport, data, origin);
    const { cls } = settings.plan.blueprint;
    let sessions = this.#open.get(cls);
    if (!sessions) this.#open.set(cls, (sessions = new Set()));
    sessions.add(session);
    if (settings.isAccepted) this.#inbound++;
    this.#reportCount();
    return session;
  }

  #refuseWhenClosing(): void {
    if (this.#closing) throw new ClosingError('the application is closing: nothing new is listened on or connected to');
  }
}
