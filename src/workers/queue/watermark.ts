import { limitOf } from '../../units.js';

/** Where no `maxQueue` says how much is much. */
const DEFAULT_QUEUE = 10_000;

/**
 * Tells producers when to hold back: closed when half of the queue is taken, open again at a quarter.
 * Waiters are told at every opening, and wait for nothing while it is open: no producer is forgotten.
 */
export class Watermark {
  readonly #high: number;
  readonly #low: number;
  readonly #most: number;
  readonly #waiting: (() => void)[] = [];
  #isClosed = false;

  /** @param maxBytes of the arguments that wait; 0: any number */
  constructor(maxQueue: number, maxBytes = 0) {
    const most = limitOf(maxQueue);
    this.#high = Math.max(1, Math.floor((most === Infinity ? DEFAULT_QUEUE : most) / 2));
    this.#low = Math.floor(this.#high / 2);
    this.#most = limitOf(maxBytes);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Sets the number of waiting calls, and their bytes. */
  setLevel(size: number, bytes = 0): void {
    if (this.#isClosed) {
      if (size > this.#low || bytes > this.#most / 4) return;
      this.#isClosed = false;
      for (const go of this.#waiting.splice(0)) go();
    } else this.#isClosed = size >= this.#high || bytes > this.#most / 2;
  }

  whenOpen(): Promise<void> {
    return this.#isClosed ? new Promise(resolve => this.#waiting.push(resolve)) : Promise.resolve();
  }
}
