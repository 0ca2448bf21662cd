import { OutputLimiter } from './log-limiter.js';

/** Bytes of an error that counts as two, and from how many on it counts no more: the log gets its beginning. */
const ORDINARY = 4096;
const LARGEST = 64 * 1024;

/** How many stray errors of one process are told of: a timer that throws every millisecond must not fill the log. */
export class UncaughtLimiter {
  readonly #quota = new OutputLimiter(100, 10);

  /** One more error of `size` bytes, at `now` ms. How many before it were not told of; undefined: nor is this one. */
  take(now: number, size: number): number | undefined {
    return this.#quota.take(now, 1 + Math.min(size, LARGEST) / ORDINARY);
  }
}
