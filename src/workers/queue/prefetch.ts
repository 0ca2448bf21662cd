/** The most calls that wait at a worker under 'auto'. */
export const MAX_PREFETCH = 256;
/** 'auto' keeps as many calls at the worker as it finishes in this time. */
const HORIZON = 1;
/**
 * Assumed milliseconds per call of a new process, and of one that replaces a killed one. The second needs several quick calls to prove
 * itself.
 */
const UNKNOWN = 4;
const SUSPECT = 32;

/**
 * How quick a worker is: milliseconds per finished call. Measured from outside while it had something to do, and told by the worker, call
 * by call: the less counts. On a machine that is busy otherwise a call alone takes milliseconds there and back, whatever it does; by that
 * alone nothing would ever go ahead again. Both follow by halves, so that one slow call closes the window at once and a few quick ones open
 * it again.
 */
export class ServiceTime {
  #perCall: number;
  #told: number;
  /** When the busy time began that the next finished calls are divided by. */
  #since = 0;

  constructor(suspect: boolean) {
    this.#perCall = this.#told = suspect ? SUSPECT : UNKNOWN;
  }

  /** The worker has something to do from now on. */
  start(now: number): void {
    this.#since = now;
  }

  /** The worker says that a call took so long. */
  onAnswer(milliseconds: number): void {
    this.#told += (milliseconds - this.#told) / 2;
  }

  /** `calls` were finished since the last time. */
  onFinished(calls: number, now: number): void {
    this.#perCall += ((now - this.#since) / calls - this.#perCall) / 2;
    this.#since = now;
  }

  /** Calls that may wait at the worker. */
  get window(): number {
    const perCall = Math.min(this.#perCall, this.#told);
    return perCall <= HORIZON / MAX_PREFETCH ? MAX_PREFETCH : Math.floor(HORIZON / perCall);
  }
}
