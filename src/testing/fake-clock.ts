import type { Clock, ClockTimer } from '../clock.js';
import { toMilliseconds, type Duration } from '../units.js';
import { setImmediate } from '../system-timers.js';

interface Entry extends ClockTimer {
  readonly at: number;
  readonly run: () => void;
}

/** Rounds of the event loop that callbacks get to settle in: enough for a promise chain that crosses a few immediates. */
const ROUNDS = 4;

async function settle(): Promise<void> {
  for (let i = 0; i < ROUNDS; i++) await new Promise<void>(resolve => setImmediate(resolve));
}

/**
 * A clock that stands still until it is advanced.
 * @example
 * const clock = new FakeClock();
 * clock.after(1000, () => console.log('late'));
 * await clock.advance('1s'); // late
 */
export class FakeClock implements Clock {
  #now = 0;
  readonly #start: number;
  /** Sorted by due time, then by age. */
  readonly #timers: Entry[] = [];

  /** @param epoch wall-clock milliseconds at the start. */
  constructor(epoch: number = Date.UTC(2026, 0, 1)) {
    this.#start = epoch;
  }

  now(): number {
    return this.#now;
  }

  epoch(): number {
    return this.#start + this.#now;
  }

  after(delay: number, run: () => void): ClockTimer {
    const entry: Entry = { at: this.#now + Math.max(0, delay), run, cancel: () => this.#remove(entry) };
    const later = this.#timers.findIndex(other => other.at > entry.at);
    this.#timers.splice(later < 0 ? this.#timers.length : later, 0, entry);
    return entry;
  }

  /** How many timers are set: none should be when everything is closed. */
  get pending(): number {
    return this.#timers.length;
  }

  /** Moves time on, runs what falls due in order, and lets promises and immediates settle in between. */
  async advance(by: Duration): Promise<void> {
    const until = this.#now + toMilliseconds(by);
    await settle();
    for (let next = this.#timers[0]; next && next.at <= until; next = this.#timers[0]) {
      this.#timers.shift();
      this.#now = Math.max(this.#now, next.at);
      next.run();
      await settle();
    }
    this.#now = until;
    await settle();
  }

  #remove(entry: Entry): void {
    const at = this.#timers.indexOf(entry);
    if (at >= 0) this.#timers.splice(at, 1);
  }
}
