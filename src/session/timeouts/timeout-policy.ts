import type { Transport } from '../../endpoints/endpoint.js';
import { StallWatch } from '../../endpoints/net/stall-watch.js';
import { limitOf, toMilliseconds, type Duration, type Off } from '../../units.js';
import { DRAIN, FIRST, IDLE, MESSAGE, type DeadlineHost, type DeadlineName, type ConnectionDeadlines } from './deadlines.js';
import type { ConnectionState } from '../lifecycle.js';
import type { HandlerRunner } from '../handler/handler-runner.js';
import { PauseReason, type ReadLoop } from '../inbound/read-loop.js';
import type { Settings } from '../settings.js';

/** Milliseconds that a message's time is extended by at most, or by its limit where that is more: a few times the gate's longest. */
const MOST_WAITED = 5_000;

/** The session, as its time limits see it. */
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
  /** Milliseconds waited at the gate of the event loop by the time the peer was last heard, and by the time the message began. */
  #waitedAtHeard = 0;
  #waitedAtBegin = 0;
  /** Milliseconds that the message's time was extended by. */
  #extended = 0;
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
    if (this.#idle === Infinity) return;
    this.#session.deadlines.set(IDLE, this.#idle);
    this.#waitedAtHeard = this.#session.readLoop.waitedAtGate;
  }

  /** Bytes are sent. */
  said(): void {
    if (!this.#spoken) this.#speak();
  }

  /** A message has begun and is not whole, or none has begun. */
  message(begun: boolean): void {
    const { deadlines, settings, readLoop } = this.#session;
    if (begun === deadlines.isSet(MESSAGE)) return;
    deadlines.set(MESSAGE, begun ? settings.limits.messageTimeout : Infinity);
    this.#waitedAtBegin = readLoop.waitedAtGate;
    this.#extended = 0;
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
    deadlines.stand(this.#waiting || !runner.isIdle || isPiped || readLoop.held(PauseReason.PAUSED | PauseReason.PIPED | PauseReason.RATE));
  }

  expired(name: DeadlineName): void {
    const { state, runner, settings } = this.#session;
    const { idle } = settings.plan.blueprint.hooks;
    if (this.#isExtended(name)) return;
    if (name === 'idleTimeout' && idle.length > 0) void runner.hook('OnIdle', idle);
    else if (name === 'halfCloseGrace') state.grace?.expired();
    else if (name === 'drainTimeout') this.#drain?.expired();
    else state.destroy({ by: 'timeout', code: name });
  }

  /**
   * Whether an expired deadline goes on: what the connection has waited at the gate of the event loop was not the peer's time. For a
   * message that has a bound: where a byte came at every turn of the loop, one that never ends would wait there for ever.
   */
  #isExtended(name: DeadlineName): boolean {
    const { deadlines, settings, readLoop } = this.#session;
    const waited = readLoop.waitedAtGate;
    if (name === 'idleTimeout') {
      const extension = waited - this.#waitedAtHeard;
      this.#waitedAtHeard = waited;
      if (extension > 0) deadlines.set(IDLE, extension);
      return extension > 0;
    }
    if (name !== 'messageTimeout') return false;
    const most = Math.max(settings.limits.messageTimeout, MOST_WAITED);
    const extension = Math.min(waited - this.#waitedAtBegin, most) - this.#extended;
    this.#extended += extension;
    if (extension > 0) deadlines.set(MESSAGE, extension);
    return extension > 0;
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
