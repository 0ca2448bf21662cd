import { setImmediate } from './system-timers.js';
import type { Clock, ClockTimer } from './clock.js';

/** Lateness of a timer, in milliseconds, from which on the event loop counts as stalled. */
const STALL = 100;
/** Longest extension after a stall, in milliseconds. */
export const MAX_EXTENSION = 1_000;

/**
 * Milliseconds that a time limit is extended by when its timer, due at `due`, fires at `now`: the length of the stall that made it late.
 * While the event loop stood still (a long handler, a garbage collection, a paused machine) the other side could not be answered either,
 * and a handshake or a large message takes several rounds. 0: there was no stall.
 */
export function stallExtension(due: number, now: number): number {
  const late = now - due;
  return late > STALL ? Math.min(late, MAX_EXTENSION) : 0;
}

class Deadline implements ClockTimer {
  readonly #clock: Clock;
  readonly #expire: (firedAt: number) => void;
  readonly #keepAlive: boolean;
  #due: number;
  #extended = false;
  #timer: ClockTimer | undefined;
  #immediate: NodeJS.Immediate | undefined;

  constructor(clock: Clock, delay: number, expire: (firedAt: number) => void, keepAlive: boolean) {
    this.#clock = clock;
    this.#expire = expire;
    this.#keepAlive = keepAlive;
    this.#due = clock.now() + delay;
    this.#timer = clock.after(delay, this.#onTimer, keepAlive);
  }

  cancel(): void {
    this.#timer?.cancel();
    clearImmediate(this.#immediate);
  }

  readonly #onTimer = (): void => {
    const now = this.#clock.now();
    const extension = this.#extended ? 0 : stallExtension(this.#due, now);
    if (extension === 0) {
      this.#timer = undefined;
      this.#immediate = setImmediate(this.#expire, now);
      return;
    }
    this.#extended = true;
    this.#due = now + extension;
    this.#timer = this.#clock.after(extension, this.#onTimer, this.#keepAlive);
  };
}

/**
 * Sets a time limit for another party: a peer, a worker, the system. `expire` runs `delay` ms from now unless the limit is cancelled.
 *
 * Timers fire before sockets are polled, so after a stall of the event loop a bare timer would judge without having read what arrived
 * in time. This one runs after the next poll, and is extended once by the length of the stall, at most by a second.
 * `expire` is told when the timer fired: what fell due later has not had its poll yet. `keepAlive` false: the limit alone does not keep
 * the process running.
 * @example
 * const limit = deadline(clock, 10_000, () => socket.destroy());
 * socket.once('connect', () => limit.cancel());
 */
export function deadline(clock: Clock, delay: number, expire: (firedAt: number) => void, keepAlive = false): ClockTimer {
  return new Deadline(clock, delay, expire, keepAlive);
}
