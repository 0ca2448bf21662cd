import type { Clock } from '../../clock.js';
import type { HeapTimer, TimerHeap } from '../../timing/timer-heap.js';

const NAMES = ['firstMessageTimeout', 'messageTimeout', 'idleTimeout', 'drainTimeout', 'halfCloseGrace'] as const;

/** A deadline of a session, by the name of its limit. */
export type DeadlineName = (typeof NAMES)[number];

export const FIRST = 0;
export const MESSAGE = 1;
export const IDLE = 2;
export const DRAIN = 3;
export const GRACE = 4;
type Deadline = typeof FIRST | typeof MESSAGE | typeof IDLE | typeof DRAIN | typeof GRACE;

/** Told of deadlines that have passed. A passed deadline is off until it is set again. */
export interface DeadlineHost {
  onExpired(name: DeadlineName): void;
}

const NEVER = Infinity;

/**
 * The deadlines of one connection behind one lazy alarm: moving one later costs a number, and an alarm that comes too early looks again.
 * The clocks of messages and of silence can stand still: while the connection is not the peer's to keep waiting.
 */
export class ConnectionDeadlines implements HeapTimer {
  readonly #clock: Clock;
  readonly #alarms: TimerHeap;
  readonly #host: DeadlineHost;
  /** When each is due; while they stand still, MESSAGE and IDLE are what remains of them. */
  readonly #due = [NEVER, NEVER, NEVER, NEVER, NEVER];
  #standsStill = false;
  alarmAt = NEVER;
  alarmIndex = -1;

  constructor(clock: Clock, alarms: TimerHeap, host: DeadlineHost) {
    this.#clock = clock;
    this.#alarms = alarms;
    this.#host = host;
  }

  /** Sets one `delay` ms from now, or from when it runs again; Infinity switches it off. */
  set(deadline: Deadline, delay: number): void {
    if (delay === NEVER || this.#stands(deadline)) {
      this.#due[deadline] = delay;
      return;
    }
    const at = this.#clock.now() + delay;
    this.#due[deadline] = at;
    if (at < this.alarmAt) this.#alarms.set(this, at);
  }

  isSet(deadline: Deadline): boolean {
    return this.#due[deadline] !== NEVER;
  }

  /** Stops or restarts the clocks of messages and of silence. */
  setStandstill(still: boolean): void {
    if (still === this.#standsStill) return;
    this.#standsStill = still;
    const due = this.#due;
    if (due[MESSAGE] === NEVER && due[IDLE] === NEVER) return;
    const now = still ? -this.#clock.now() : this.#clock.now();
    due[MESSAGE]! += now;
    due[IDLE]! += now;
    const next = Math.min(due[MESSAGE]!, due[IDLE]!);
    if (!still && next < this.alarmAt) this.#alarms.set(this, next);
  }

  /** Nothing more is expected of the peer. */
  clearPeerDeadlines(): void {
    this.#due[FIRST] = this.#due[MESSAGE] = this.#due[IDLE] = NEVER;
  }

  close(): void {
    this.#due.fill(NEVER);
    this.#alarms.set(this, NEVER);
  }

  /** Called by the alarm. */
  onAlarm(now: number): void {
    for (const [deadline, name] of NAMES.entries()) {
      if (this.#stands(deadline) || this.#due[deadline]! > now) continue;
      this.#due[deadline] = NEVER;
      this.#host.onExpired(name);
    }
    const next = Math.min(...this.#due.filter((_, deadline) => !this.#stands(deadline)));
    if (next < this.alarmAt) this.#alarms.set(this, next);
  }

  #stands(deadline: number): boolean {
    return this.#standsStill && (deadline === MESSAGE || deadline === IDLE);
  }
}
