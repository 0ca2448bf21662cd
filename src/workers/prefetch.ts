/** The most calls that wait at a worker under 'auto'. */
export const MAX_PREFETCH = 256;
/** 'auto' keeps as many calls at the worker as it finishes in this time. */
const HORIZON = 1;
/** What a new process is taken for, and one that replaces a killed one: milliseconds per call. The second needs several quick calls to prove itself. */
const UNKNOWN = 4;
const SUSPECT = 32;

/**
 * How quick a worker is, measured from outside: milliseconds per finished call while it had something to do.
 * Follows both ways by halves, so that one slow call closes the window at once and a few quick ones open it again.
 */
export class Pace {
  #perCall: number;
  /** When the busy time began that the next finished calls are divided by. */
  #since = 0;

  constructor(suspect: boolean) {
    this.#perCall = suspect ? SUSPECT : UNKNOWN;
  }

  /** It has something to do from now on. */
  begin(now: number): void {
    this.#since = now;
  }

  /** `calls` were finished since the last time. */
  finished(calls: number, now: number): void {
    this.#perCall += ((now - this.#since) / calls - this.#perCall) / 2;
    this.#since = now;
  }

  /** Calls that may wait at the worker. */
  get window(): number {
    return this.#perCall <= HORIZON / MAX_PREFETCH ? MAX_PREFETCH : Math.floor(HORIZON / this.#perCall);
  }
}
