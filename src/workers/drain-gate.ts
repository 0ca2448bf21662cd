import { limitOf } from '../units.js';

/** Where no `maxQueue` says how much is much. */
const DEFAULT_QUEUE = 10_000;

/**
 * Tells producers when to hold back: closed when half of the queue is taken, open again at a quarter.
 * Whoever waits is told at every opening, and waits for nothing while it is open: no producer is forgotten.
 */
export class DrainGate {
  readonly #high: number;
  readonly #low: number;
  readonly #waiting: (() => void)[] = [];
  #closed = false;

  constructor(maxQueue: number) {
    const most = limitOf(maxQueue);
    this.#high = Math.max(1, Math.floor((most === Infinity ? DEFAULT_QUEUE : most) / 2));
    this.#low = Math.floor(this.#high / 2);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** So many wait now. */
  level(size: number): void {
    if (this.#closed) {
      if (size > this.#low) return;
      this.#closed = false;
      for (const go of this.#waiting.splice(0)) go();
    } else this.#closed = size >= this.#high;
  }

  opened(): Promise<void> {
    return this.#closed ? new Promise(resolve => this.#waiting.push(resolve)) : Promise.resolve();
  }
}
