import { clearTimeout, epochNow, monotonicNow, setTimeout } from './system-timers.js';

/** A timer that was set on a {@link Clock}. */
export interface ClockTimer {
  cancel(): void;
}

/**
 * Where time comes from. Every deadline, timer and back-off of the framework asks a clock,
 * so that tests can move it by hand (`packet-ts/testing`).
 */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Wall-clock milliseconds since the epoch. */
  epoch(): number;
  /** Runs `run` once after `delay` ms. `keepAlive` false: the timer alone does not keep the process running. */
  after(delay: number, run: () => void, keepAlive?: boolean): ClockTimer;
}

class RealTimer implements ClockTimer {
  readonly #timeout: NodeJS.Timeout;
  constructor(delay: number, run: () => void, keepAlive: boolean) {
    this.#timeout = setTimeout(run, Math.min(Math.max(delay, 0), 2 ** 31 - 1));
    if (!keepAlive) this.#timeout.unref();
  }
  cancel(): void {
    clearTimeout(this.#timeout);
  }
}

/** The machine's own clock. */
export const realClock: Clock = {
  now: () => monotonicNow(),
  epoch: () => epochNow(),
  after: (delay, run, keepAlive = false) => new RealTimer(delay, run, keepAlive),
};
