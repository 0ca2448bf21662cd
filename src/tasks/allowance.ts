import type { Clock } from '../clock.js';

/** A token bucket: how often something may be done. */
export class TokenBucket {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #burst: number;
  readonly #perMillisecond: number;
  #left: number;
  #at: number;

  /** @param burst times in a row @param perMillisecond times in the long run */
  constructor(clock: Pick<Clock, 'now'>, burst: number, perMillisecond: number) {
    this.#clock = clock;
    this.#burst = this.#left = burst;
    this.#perMillisecond = perMillisecond;
    this.#at = clock.now();
  }

  /** Takes one time; false: not now. */
  take(): boolean {
    if (this.#left < 1 && !this.#refill()) return false;
    this.#left--;
    return true;
  }

  /** Asks the clock only when the burst is used up. */
  #refill(): boolean {
    const now = this.#clock.now();
    this.#left = Math.min(this.#burst, this.#left + (now - this.#at) * this.#perMillisecond);
    this.#at = now;
    return this.#left >= 1;
  }
}
