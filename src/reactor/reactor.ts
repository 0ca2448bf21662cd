import { checkServed, isOfConnections, nameOf, readEndpoints, refuse, reporter } from '../blueprint/index.js';
import type { Ctor, EndpointBlueprint } from '../blueprint/types.js';
import type { ConnectArgs, DialArgs } from '../decorators/connection/dial-types.js';
import type { Endpoint, EndpointOptions, PerEndpoint, Reconnect } from '../decorators/connection/endpoint-types.js';
import { publish } from '../diagnostics.js';
import { asError, UsageError, type Mistake } from '../errors.js';
import { anything, checkGiven, duration, flag, number, signal as abortSignal, type Rules } from '../option-rules.js';
import type { Duration } from '../units.js';
import type { ReactorCore } from './core.js';
import { Dialer } from './dial/dialer.js';
import type { Listening } from './listen/listener.js';
import type { Peer } from '../session/peer.js';
import { settingsOf } from '../session/settings.js';
import type { Timer } from '../timing/timers.js';

/** An endpoint with or without options of its own. */
// oxlint-disable-next-line typescript/no-explicit-any -- the framing's types belong to the handler class
export type Where = Endpoint | EndpointOptions<any, any>;

/** Open connections, counted and one by one. */
export interface Connections<H> extends Iterable<{ readonly handler: H; readonly peer: Peer }> {
  readonly count: number;
}

/** Options of `broadcast()`. */
export interface BroadcastOptions {
  /** A peer, or a handler, that does not get it. */
  readonly except?: object | undefined;
}

interface DialOptions extends Readonly<Record<string, unknown>> {
  readonly data?: object | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly reconnect?: Reconnect | undefined;
}

/** Options of an outbound connection that are not those of its endpoint. */
const OUTBOUND: Rules = { data: anything, signal: abortSignal };
const RECONNECT: Rules = { delay: duration, factor: number(1), maxDelay: duration, jitter: flag };

/**
 * This process's sockets and timers. Inject it, in the master or in a worker.
 * @example
 * constructor(private readonly reactor: Reactor, private readonly peer: Peer) {}
 * @OnConnect() async dial() { await this.reactor.connect(Upstream, 'tcp://127.0.0.1:7000', { data: { client: this.peer } }); }
 */
export class Reactor {
  readonly #core: ReactorCore;
  #closed: Promise<void> | undefined;

  /** Made by the application. */
  constructor(core: ReactorCore) {
    this.#core = core;
  }

  /**
   * Lets a handler class listen. Resolves when the address is bound.
   * @throws ListenError when the system refuses, ConfigurationError for a class or endpoint that is wrong, ClosingError.
   */
  // oxlint-disable-next-line typescript/no-explicit-any -- the framing's types belong to the handler class
  async listen(handler: Ctor, endpoint: Where, options: PerEndpoint<any, any> = {}): Promise<Listening> {
    return this.#core.listen(handler, this.#endpoint(handler, endpoint, 'listen', { ...options }));
  }

  /**
   * Dials once, every address of a name. Resolves with the handler when its `@OnConnect` has settled; a failed dial makes none.
   * `signal` aborts the dial, and destroys the connection afterwards.
   * @throws ConnectError, ConfigurationError, ClosingError, or what the handler's constructor or `@OnConnect` threw.
   */
  async connect<C extends Ctor>(handler: C, endpoint: Where, ...options: ConnectArgs<C>): Promise<InstanceType<C>> {
    const { data, signal, ...rest } = (options[0] ?? {}) as DialOptions;
    checkGiven('reactor.connect()', { data, signal }, OUTBOUND);
    const session = await this.#core.connect(handler, this.#endpoint(handler, endpoint, 'connect', rest), data, signal);
    return session.built.instance as InstanceType<C>;
  }

  /**
   * Keeps a connection up: dials again when it closes, with growing, scattered waits. A new handler for each connection.
   * @throws ConfigurationError, ClosingError.
   */
  dial<C extends Ctor>(handler: C, endpoint: Where, ...options: DialArgs<C>): Dialer<InstanceType<C>> {
    const { data, signal, reconnect, ...rest } = (options[0] ?? {}) as DialOptions;
    checkGiven('reactor.dial()', { data, signal }, OUTBOUND);
    checkGiven('reactor.dial({ reconnect })', reconnect, RECONNECT);
    const target = this.#endpoint(handler, endpoint, 'connect', rest);
    const settings = settingsOf(this.#core.plan(handler), target, 'connect');
    return new Dialer(this.#core, settings, data, reconnect ?? (target.options['reconnect'] as Reconnect | undefined), signal);
  }

  /** Runs it every so often until it is cancelled: no drift, no bursts, no overlap with itself. What it throws is logged. Throws UsageError for no interval. */
  every(interval: Duration, run: () => unknown): Timer {
    return this.#core.timers.every(interval, run, this.#failed);
  }

  /** Runs it once. What it throws is logged. Throws UsageError for what is no duration. */
  after(delay: Duration, run: () => unknown): Timer {
    return this.#core.timers.after(delay, run, this.#failed);
  }

  /** Runs it in the next turn of the event loop, in the order of asking. What it throws is logged. */
  nextTick(run: () => unknown): void {
    this.#core.nextTick(run);
  }

  /** Open connections: all, or those of a class and its subclasses. */
  connections<H extends object = object>(handler?: Ctor<H>): Connections<H> {
    const core = this.#core;
    return {
      get count() {
        return core.count(handler);
      },
      *[Symbol.iterator]() {
        // Built by the plan of that class or a subclass.
        for (const { built, peer } of core.sessions(handler)) yield { handler: built.instance as H, peer };
      },
    };
  }

  /**
   * Sends a message to every connection of a class and its subclasses; a slow one does not delay the others.
   * @throws EncodeError when the framing cannot encode it, UsageError for what is no connection class nor the base of one.
   */
  broadcast(handler: Ctor, message: unknown, options: BroadcastOptions = {}): void {
    checkGiven('broadcast()', options, { except: anything });
    const { except } = options;
    if (!isOfConnections(handler))
      throw new UsageError(
        handler === undefined
          ? 'broadcast() was given undefined for a class: modules may import each other in a circle'
          : `broadcast() goes to connections, and ${nameOf(handler)} is no connection class, nor the base of one: decorate it with @Connection()`,
      );
    this.#core.broadcast(handler, message, ({ peer, built }) => except !== undefined && (peer === except || built.instance === except));
  }

  /** Stops listening and dialling, ends every connection as the application's close does, cancels every timer. */
  close(): Promise<void> {
    return (this.#closed ??= (async () => {
      await this.#core.stopListening();
      await this.#core.drain();
      this.#core.timers.close();
    })());
  }

  /** Closes all listeners, dialers and connections, as the end of the application does. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @throws ConfigurationError */
  #endpoint(handler: Ctor, where: Where, use: 'listen' | 'connect', options: Readonly<Record<string, unknown>>): EndpointBlueprint {
    const blueprint = this.#core.blueprint(handler);
    const mistakes: Mistake[] = [];
    const report = reporter(blueprint.name, mistakes);
    const written = typeof where === 'object' && 'url' in where ? { ...where, ...options } : { url: where, ...options };
    const endpoints = readEndpoints(written, blueprint.options, use, report);
    checkServed(blueprint, endpoints, use, report);
    refuse(mistakes);
    // Without a mistake there is an endpoint.
    return endpoints[0]!;
  }

  readonly #failed = (error: unknown): void => publish('timer.error', { app: this.#core.app, error: asError(error) });
}
