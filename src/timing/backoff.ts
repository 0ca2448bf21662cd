import type { Reconnect } from '../decorators/connection/endpoint-types.js';
import { toMilliseconds } from '../units.js';

/** How long a Dialer waits before each attempt. Pure: it knows no clock. */
export class Backoff {
  readonly #delay: number;
  readonly #factor: number;
  readonly #maxDelay: number;
  readonly #random: () => number;
  #next: number;
  #last: number;

  /** @param random from 0 to 1; with `jitter` each wait is shortened by up to a half of it. */
  constructor({ delay = '1s', factor = 1.5, maxDelay = '60s', jitter = true }: Reconnect = {}, random: () => number = Math.random) {
    this.#delay = toMilliseconds(delay);
    this.#factor = factor;
    this.#maxDelay = Math.max(this.#delay, toMilliseconds(maxDelay));
    this.#random = jitter ? random : () => 0;
    this.#next = this.#last = this.#delay;
  }

  /** Milliseconds before the next attempt; each is longer than the one before. */
  next(): number {
    this.#last = this.#next;
    this.#next = Math.min(this.#maxDelay, this.#next * this.#factor);
    return this.#last * (1 - this.#random() / 2);
  }

  /** A connection was up for so long. If it lasted longer than the wait before it, it was healthy, and waits begin anew. */
  lasted(milliseconds: number): boolean {
    const healthy = milliseconds >= this.#last;
    if (healthy) this.#next = this.#last = this.#delay;
    return healthy;
  }
}
