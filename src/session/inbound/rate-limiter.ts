import type { Clock, ClockTimer } from '../../clock.js';
import type { RateLimit } from '../limits.js';

/** A token bucket: `messages` in `per` ms on average, `burst` at once. */
export class RateLimiter {
  readonly #limit: RateLimit;
  readonly #clock: Clock;
  #tokens: number;
  #at: number;
  #timer: ClockTimer | undefined;

  constructor(limit: RateLimit, clock: Clock) {
    this.#limit = limit;
    this.#clock = clock;
    this.#tokens = limit.burst;
    this.#at = clock.now();
  }

  /** Beyond the limit the peer waits; otherwise it is closed. */
  get isPausing(): boolean {
    return this.#limit.beyond === 'pause';
  }

  /** True when a message may pass; otherwise `later` is called once when one may. */
  canPass(later: () => void): boolean {
    this.#refill();
    if (this.#tokens >= 1) return true;
    const { messages, per } = this.#limit;
    this.#timer ??= this.#clock.after(Math.ceil(((1 - this.#tokens) * per) / messages), () => {
      this.#timer = undefined;
      later();
    });
    return false;
  }

  /** A message passes; false: it is one too many. */
  take(): boolean {
    this.#refill();
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  close(): void {
    this.#timer?.cancel();
  }

  #refill(): void {
    const now = this.#clock.now();
    const { messages, per, burst } = this.#limit;
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#at) * messages) / per);
    this.#at = now;
  }
}
