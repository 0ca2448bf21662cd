import { onAbort } from '../../abort-listeners.js';
import type { ClockTimer } from '../../clock.js';
import type { CloseReason } from '../../decorators/hook-types.js';
import type { Ctor, EndpointBlueprint } from '../../blueprint/types.js';
import type { Reconnect } from '../../decorators/connection/endpoint-types.js';
import { publish } from '../../diagnostics.js';
import { asError, UsageError, type ConnectError } from '../../errors.js';
import { Backoff } from '../../timing/backoff.js';
import type { ReactorCore, Retirable } from '../core.js';
import type { Session } from '../../session/session.js';
import { settingsOf, type Settings } from '../../session/settings.js';

/** States of a {@link Dialer}: `waiting` is the delay before it dials again. */
export type DialerState = 'connecting' | 'up' | 'waiting' | 'closed';

/** Events of `dialer.on`. */
export interface DialerEvents<H> {
  /** A new connection is usable; each has a handler of its own. */
  up: (handler: H) => unknown;
  /** The connection closed, or an attempt failed. */
  down: (why: CloseReason | ConnectError) => unknown;
}

/**
 * Keeps one outbound connection up. `connecting` → `up` → `waiting` → `connecting` …; a failed attempt goes straight to `waiting`; `closed`
 * is final.
 * @example
 * const dialer = reactor.dial(Feed, 'tcp://feed.example:7000', { reconnect: { delay: '1s', maxDelay: '30s' } });
 * dialer.on('down', why => console.log(why.code));
 */
export class Dialer<H extends object = object> implements Retirable, AsyncDisposable {
  readonly #core: ReactorCore;
  readonly #settings: Settings;
  readonly #data: object | undefined;
  readonly #backoff: Backoff;
  readonly #kept: Disposable;
  readonly #listeners = { up: new Set<DialerEvents<H>['up']>(), down: new Set<DialerEvents<H>['down']>() };
  #state: DialerState = 'connecting';
  #attempts = 0;
  #session: Session | undefined;
  #upSince = 0;
  /** Aborts the attempt under way. */
  #attempt: AbortController | undefined;
  #timer: ClockTimer | undefined;
  #closed: Promise<void> | undefined;
  #finished: () => void = () => {};
  /** The signal may outlive many dialers. */
  readonly #forget: () => void;

  /** Made by the reactor; dials at once. Throws ClosingError. */
  constructor(
    core: ReactorCore,
    settings: Settings,
    data: object | undefined,
    reconnect: Reconnect | undefined,
    signal: AbortSignal | undefined,
  ) {
    this.#core = core;
    this.#settings = settings;
    this.#data = data;
    this.#backoff = new Backoff(reconnect);
    this.#kept = core.retireWithReactor(this);
    const aborted = (): void => void this.close();
    this.#forget = onAbort(signal, aborted);
    if (signal?.aborted) void this.close();
    else void this.#connect();
  }

  /** The handler of the connection that is up. */
  get current(): H | undefined {
    // The plan builds instances of the very class that this was made for.
    return this.#state === 'up' ? (this.#session?.built.instance as H) : undefined;
  }

  /** Whether it dials, has a connection, waits before it dials again, or was closed. */
  get state(): DialerState {
    return this.#state;
  }

  /** Dials since the last healthy connection. */
  get attempts(): number {
    return this.#attempts;
  }

  /**
   * Calls the listener whenever the connection is `'up'` or `'down'`, until the returned object is disposed.
   * @throws UsageError for another event.
   */
  on<E extends keyof DialerEvents<H>>(event: E, listener: DialerEvents<H>[E]): Disposable {
    if (!Object.hasOwn(this.#listeners, event)) throw new UsageError(`a dialer tells no '${event}': write 'up' or 'down'`);
    const listeners = this.#listeners[event] as Set<DialerEvents<H>[E]>;
    listeners.add(listener);
    return { [Symbol.dispose]: () => listeners.delete(listener) };
  }

  /** Dials no more and ends the connection that is up; resolves when it is closed. */
  close(): Promise<void> {
    const closed = this.retire();
    this.#session?.end(undefined);
    return closed;
  }

  /** Dials no more; the open connection is closed with the reactor. Resolves when it is closed. */
  retire(): Promise<void> {
    return (this.#closed ??= new Promise(resolve => {
      this.#finished = resolve;
      this.#state = 'closed';
      this.#kept[Symbol.dispose]();
      this.#forget();
      this.#timer?.cancel();
      this.#attempt?.abort();
      if (!this.#session && !this.#attempt) resolve();
    }));
  }

  /** Closes the dialer, as `close()` does. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #connect(): Promise<void> {
    this.#state = 'connecting';
    this.#attempts++;
    this.#attempt = new AbortController();
    try {
      const session = await this.#core.dialOnce(this.#settings, this.#data, this.#attempt.signal);
      this.#attempt = undefined;
      this.#up(session);
    } catch (error) {
      this.#attempt = undefined;
      // Also what a handler's constructor or `@OnConnect` threw: it counts as a failed attempt.
      this.#down(asError(error) as ConnectError);
    }
  }

  #up(session: Session): void {
    if (session.state.isClosed) {
      this.#down(session.state.reason!);
      return;
    }
    this.#session = session;
    onAbort(session.state.signal, () => this.#lost(session));
    if (this.#closed) {
      session.end(undefined);
      return;
    }
    this.#state = 'up';
    this.#upSince = this.#core.clock.now();
    publish('dialer.up', {
      app: this.#core.app,
      handler: this.#settings.plan.name,
      url: this.#settings.target.url,
      attempts: this.#attempts,
    });
    this.#emit('up', session.built.instance as H);
  }

  #lost(session: Session): void {
    this.#session = undefined;
    if (this.#backoff.lasted(this.#core.clock.now() - this.#upSince)) this.#attempts = 0;
    this.#down(session.state.reason!);
  }

  #down(why: CloseReason | ConnectError): void {
    publish('dialer.down', { app: this.#core.app, handler: this.#settings.plan.name, url: this.#settings.target.url, why });
    if (this.#settings.scheme.once && !this.#closed) {
      void this.retire();
      this.#emit('down', why);
    }
    if (this.#closed) {
      this.#finished();
      return;
    }
    this.#state = 'waiting';
    this.#timer = this.#core.clock.after(this.#backoff.next(), () => void this.#connect(), true);
    this.#emit('down', why);
  }

  #emit<E extends keyof DialerEvents<H>>(event: E, what: Parameters<DialerEvents<H>[E]>[0]): void {
    for (const listener of [...this.#listeners[event]]) {
      const failed = (error: unknown): void =>
        publish('hook.error', {
          app: this.#core.app,
          hook: `dialer.on('${event}')`,
          handler: this.#settings.plan.name,
          error: asError(error),
        });
      try {
        const outcome = (listener as (what: unknown) => unknown)(what);
        if (outcome instanceof Promise) outcome.catch(failed);
      } catch (error) {
        failed(error);
      }
    }
  }
}

/** Keeps a connection to an endpoint of the blueprint up. Throws ConfigurationError, ClosingError. */
export function dialerOf(core: ReactorCore, cls: Ctor, endpoint: EndpointBlueprint): Dialer {
  const settings = settingsOf(core.plan(cls), endpoint, 'connect');
  return new Dialer(core, settings, undefined, endpoint.options['reconnect'] as Reconnect | undefined, undefined);
}
