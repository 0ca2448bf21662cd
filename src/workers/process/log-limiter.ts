/**
 * How often something may be told of: `burst` times at once, then `perSecond`. What is beyond is counted, and the next one that is told of
 * says how many were not.
 */
export class OutputLimiter {
  readonly #burst: number;
  readonly #perSecond: number;
  #left: number;
  #at = 0;
  #untold = 0;

  constructor(burst: number, perSecond: number) {
    this.#burst = this.#left = burst;
    this.#perSecond = perSecond;
  }

  /** Counts `times` events at `now` ms. Returns how many were suppressed since the last report; undefined if this one is suppressed, too. */
  take(now: number, times = 1): number | undefined {
    this.#left = Math.min(this.#burst, this.#left + ((now - this.#at) / 1000) * this.#perSecond);
    this.#at = now;
    if (this.#left < 1) {
      this.#untold++;
      return undefined;
    }
    this.#left -= times;
    return this.untold();
  }

  /** How many were not told of since the last one that was; they count as told from here on. */
  untold(): number {
    const untold = this.#untold;
    this.#untold = 0;
    return untold;
  }
}
