import { reasonOfLimit } from '../close-reasons.js';
import { StallWatch } from '../../endpoints/net/stall-watch.js';
import { limitOf, toMilliseconds, type Duration, type Off } from '../../units.js';
import { DRAIN, FIRST, IDLE, MESSAGE, type DeadlineHost, type DeadlineName } from './deadlines.js';
import type { LiveConnection } from '../live-connection.js';
import { PauseReason } from '../inbound/read-loop.js';

/** Milliseconds that a message's time is extended by at most, or by its limit where that is more: a few times the gate's longest. */
const MOST_WAITED = 5_000;

/** The time limits of one connection: restarts deadlines on traffic, decides what an expired one does. */
export class TimeoutPolicy implements DeadlineHost {
  readonly #session: LiveConnection;
  #idle: number;
  /** Anything was sent or received. */
  #spoken = false;
  /** Bytes wait for the kernel. */
  #waiting = false;
  /** Milliseconds waited at the gate of the event loop by the time the peer was last heard, and by the time the message began. */
  #waitedAtReceived = 0;
  #waitedAtBegin = 0;
  /** Milliseconds that the message's time was extended by. */
  #extended = 0;
  /** `drainTimeout`; made when bytes wait for the first time. */
  #drain: StallWatch | undefined;

  constructor(session: LiveConnection) {
    this.#session = session;
    this.#idle = session.settings.limits.idleTimeout;
  }

  /** The connection delivers. */
  start(): void {
    const { deadlines, settings } = this.#session;
    if (!this.#spoken) deadlines.set(FIRST, settings.limits.firstMessageTimeout);
    deadlines.set(IDLE, this.#idle);
  }

  /** Bytes arrived. */
  onReceived(): void {
    if (!this.#spoken) this.#speak();
    if (this.#idle === Infinity) return;
    this.#session.deadlines.set(IDLE, this.#idle);
    this.#waitedAtReceived = this.#session.readLoop.waitedAtGate;
  }

  /** Bytes are sent. */
  onSent(): void {
    if (!this.#spoken) this.#speak();
  }

  /** A message has begun and is not whole, or none has begun. */
  onMessageBegun(begun: boolean): void {
    const { deadlines, settings, readLoop } = this.#session;
    if (begun === deadlines.isSet(MESSAGE)) return;
    deadlines.set(MESSAGE, begun ? settings.limits.messageTimeout : Infinity);
    this.#waitedAtBegin = readLoop.waitedAtGate;
    this.#extended = 0;
  }

  /** Bytes wait for the kernel, or none does any more. */
  onWaiting(waiting: boolean): void {
    this.#waiting = waiting;
    if (waiting) this.onProgress();
    else this.#drain?.stop();
  }

  /** The kernel took something. */
  onProgress(): void {
    (this.#drain ??= this.#watchDrain()).start();
  }

  setIdleTimeout(timeout: Duration | Off): void {
    this.#idle = limitOf(toMilliseconds(timeout));
    if (this.#session.state.isOpen) this.#session.deadlines.set(IDLE, this.#idle);
  }

  /** A handler has begun that did not finish at once. */
  onHandlerPending(): void {
    this.#session.deadlines.setStandstill(true);
    this.#session.state.grace?.review();
  }

  /** Stops or restarts the clocks that only run while it is the peer's turn. */
  reviewClocks(): void {
    const { deadlines, state, runner, isPiped, readLoop } = this.#session;
    state.grace?.review();
    deadlines.setStandstill(
      this.#waiting || !runner.isIdle || isPiped || readLoop.isHeld(PauseReason.PAUSED | PauseReason.PIPED | PauseReason.RATE),
    );
  }

  onExpired(name: DeadlineName): void {
    const { state, runner, settings } = this.#session;
    const { idle } = settings.plan.blueprint.hooks;
    if (this.#isExtended(name)) return;
    if (name === 'idleTimeout' && idle.length > 0) void runner.runHook('OnIdle', idle);
    else if (name === 'halfCloseGrace') state.grace?.onExpired();
    else if (name === 'drainTimeout') this.#drain?.onExpired();
    else state.destroy(reasonOfLimit(name));
  }

  /**
   * Whether an expired deadline goes on: what the connection has waited at the gate of the event loop was not the peer's time. For a
   * message that has a bound: where a byte came at every turn of the loop, one that never ends would wait there for ever.
   */
  #isExtended(name: DeadlineName): boolean {
    const { deadlines, settings, readLoop } = this.#session;
    const waited = readLoop.waitedAtGate;
    if (name === 'idleTimeout') {
      const extension = waited - this.#waitedAtReceived;
      this.#waitedAtReceived = waited;
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
      this.#session.closeForLimit('drainTimeout', `the peer took nothing for ${limit()} ms (drainTimeout)`),
    );
  }

  #speak(): void {
    this.#spoken = true;
    this.#session.deadlines.set(FIRST, Infinity);
  }
}
