import { show } from '../option-rules.js';
import type { Clock, ClockTimer } from '../clock.js';
import { UsageError } from '../errors.js';
import { MAX_DELAY, toMilliseconds, type Duration } from '../units.js';

/** Something that runs later, unless it is cancelled. */
export interface Timer extends Disposable {
  /** Cancels the timer: it never runs again, even if it is due already. */
  cancel(): void;
}

class ClockDriven implements Timer {
  readonly #clock: Clock;
  readonly #run: () => unknown;
  readonly #failed: (error: unknown) => void;
  readonly #interval: number;
  readonly #repeats: boolean;
  readonly #ended: (timer: Timer) => void;
  #due: number;
  #armed: ClockTimer | undefined;
  #running = false;
  #cancelled = false;

  constructor(
    clock: Clock,
    interval: number,
    repeats: boolean,
    run: () => unknown,
    failed: (error: unknown) => void,
    ended: (timer: Timer) => void,
  ) {
    this.#clock = clock;
    this.#interval = interval;
    this.#repeats = repeats;
    this.#run = run;
    this.#failed = failed;
    this.#ended = ended;
    this.#due = clock.now() + interval;
    this.#arm();
  }

  cancel(): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    this.#armed?.cancel();
    this.#ended(this);
  }

  [Symbol.dispose](): void {
    this.cancel();
  }

  /** A delay beyond what timers can take is waited for in parts. */
  #arm(): void {
    this.#armed = this.#clock.after(Math.min(Math.max(0, this.#due - this.#clock.now()), MAX_DELAY), this.#fire, true);
  }

  readonly #fire = (): void => {
    if (this.#cancelled) return;
    const now = this.#clock.now();
    if (now < this.#due) {
      this.#arm();
      return;
    }
    if (this.#repeats) {
      // Counted from the first time, so that it does not drift; what was missed is skipped, so that it does not come in bursts.
      const missed = Math.floor((now - this.#due) / this.#interval);
      this.#due += (missed + 1) * this.#interval;
      this.#arm();
    } else {
      this.#cancelled = true;
      this.#ended(this);
    }
    // One that is still at it is not started again.
    if (!this.#running) this.#start();
  };

  #start(): void {
    try {
      const outcome = this.#run();
      if (typeof outcome !== 'object' || outcome === null || !('then' in outcome)) return;
      this.#running = true;
      Promise.resolve(outcome as PromiseLike<unknown>)
        .catch(this.#failed)
        .finally(() => (this.#running = false));
    } catch (error) {
      this.#failed(error);
    }
  }
}

/**
 * Timers that do not drift, do not come in bursts and do not overlap with themselves.
 * Each must be cancelled by its maker; `close` cancels the rest.
 */
export class Timers {
  readonly #clock: Clock;
  readonly #open = new Set<Timer>();
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Runs it every so often, first after one interval. Throws UsageError, as `after` does, for what is no duration and no function. */
  every(interval: Duration, run: () => unknown, failed: (error: unknown) => void): Timer {
    const ms = toMilliseconds(interval);
    if (!(ms > 0)) throw new UsageError(`a timer needs an interval above 0, not ${show(interval)}: write '1s', or milliseconds`);
    return this.#add(ms, true, run, failed);
  }

  /** Runs it once. */
  after(delay: Duration, run: () => unknown, failed: (error: unknown) => void): Timer {
    return this.#add(toMilliseconds(delay), false, run, failed);
  }

  /** Cancels all; those that are still asked for never run. */
  close(): void {
    this.#closed = true;
    for (const timer of this.#open) timer.cancel();
  }

  #add(ms: number, repeats: boolean, run: () => unknown, failed: (error: unknown) => void): Timer {
    if (typeof run !== 'function')
      throw new UsageError(`a timer runs a function, not ${run === null ? 'null' : `a value of type ${typeof run}`}`);
    const timer = new ClockDriven(this.#clock, ms, repeats, run, failed, ended => this.#open.delete(ended));
    this.#open.add(timer);
    if (this.#closed) timer.cancel();
    return timer;
  }
}
