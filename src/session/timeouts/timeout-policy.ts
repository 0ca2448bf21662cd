import type { Transport } from '../../endpoints/endpoint.js';
import { StallWatch } from '../../endpoints/net/stall-watch.js';
import { limitOf, toMilliseconds, type Duration, type Off } from '../../units.js';
import { DRAIN, FIRST, IDLE, MESSAGE, type DeadlineHost, type DeadlineName, type ConnectionDeadlines } from './deadlines.js';
import type { ConnectionState } from '../lifecycle.js';
import type { HandlerRunner } from '../handler/handler-runner.js';
import { PauseReason, type ReadLoop } from '../inbound/read-loop.js';
import type { Settings } from '../settings.js';

/** The session, as its patience sees it. */
export interface TimeoutPolicyHost {
  readonly settings: Settings;
  readonly transport: Transport;
  readonly readLoop: ReadLoop;
  readonly runner: HandlerRunner;
  readonly deadlines: ConnectionDeadlines;
  readonly state: ConnectionState;
  readonly isPiped: boolean;
  /** The peer has gone too far. */
  exceeded(limit: string, message: string): void;
}

/** The time limits of one connection: restarts deadlines on traffic, decides what an expired one does. */
export class TimeoutPolicy implements DeadlineHost {
  readonly #session: TimeoutPolicyHost;
  #idle: number;
  /** Anything was sent or received. */
  #spoken = false;
  /** Bytes wait for the kernel. */
  #waiting = false;
  /** `drainTimeout`; made when bytes wait for the first time. */
  #drain: StallWatch | undefined;

  constructor(session: TimeoutPolicyHost) {
    this.#session = session;
    this.#idle = session.settings.limits.idleTimeout;
  }

  /** The connection delivers. */
  begin(): void {
    const { deadlines, settings } = this.#session;
    if (!this.#spoken) deadlines.set(FIRST, settings.limits.firstMessageTimeout);
    deadlines.set(IDLE, this.#idle);
  }

  /** Bytes arrived. */
  heard(): void {
    if (!this.#spoken) this.#speak();
    if (this.#idle !== Infinity) this.#session.deadlines.set(IDLE, this.#idle);
  }

  /** Bytes are sent. */
  said(): void {
    if (!this.#spoken) this.#speak();
  }

  /** A message has begun and is not whole, or none has begun. */
  message(begun: boolean): void {
    const { deadlines, settings } = this.#session;
    if (begun !== deadlines.isSet(MESSAGE)) deadlines.set(MESSAGE, begun ? settings.limits.messageTimeout : Infinity);
  }

  /** Bytes wait for the kernel, or none does any more. */
  waits(waiting: boolean): void {
    this.#waiting = waiting;
    if (waiting) this.progressed();
    else this.#drain?.stop();
  }

  /** The kernel took something. */
  progressed(): void {
    (this.#drain ??= this.#watchDrain()).start();
  }

  setIdleTimeout(timeout: Duration | Off): void {
    this.#idle = limitOf(toMilliseconds(timeout));
    if (this.#session.state.isOpen) this.#session.deadlines.set(IDLE, this.#idle);
  }

  /** A handler has begun that did not finish at once. */
  working(): void {
    this.#session.deadlines.stand(true);
    this.#session.state.grace?.review();
  }

  /** Stops or restarts the clocks that only run while it is the peer's turn. */
  clocks(): void {
    const { deadlines, state, runner, isPiped, readLoop } = this.#session;
    state.grace?.review();
    // Not while it waits at the gate of the loop: a byte at every turn would keep a message that never ends waiting there.
    deadlines.stand(this.#waiting || !runner.isIdle || isPiped || readLoop.held(PauseReason.PAUSED | PauseReason.PIPED | PauseReason.RATE));
  }

  expired(name: DeadlineName): void {
    const { state, runner, settings } = this.#session;
    const { idle } = settings.plan.blueprint.hooks;
    if (name === 'idleTimeout' && idle.length > 0) void runner.hook('OnIdle', idle);
    else if (name === 'halfCloseGrace') state.grace?.expired();
    else if (name === 'drainTimeout') this.#drain?.expired();
    else state.destroy({ by: 'timeout', code: name });
  }

  #watchDrain(): StallWatch {
    const { deadlines, settings, transport } = this.#session;
    const timer = { set: (delay: number) => deadlines.set(DRAIN, delay) };
    const limit = (): number => settings.limits.drainTimeout;
    return new StallWatch(transport, timer, limit, () =>
      this.#session.exceeded('drainTimeout', `the peer took nothing for ${limit()} ms (drainTimeout)`),
    );
  }

  #speak(): void {
    this.#spoken = true;
    this.#session.deadlines.set(FIRST, Infinity);
  }
}
