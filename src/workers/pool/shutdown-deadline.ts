import type { Clock, ClockTimer } from '../../clock.js';
import { deadline } from '../../deadline.js';

/** How long an end may take: a deadline that can be brought forward, never put off. Without one it takes as long as it takes. */
export class ShutdownDeadline {
  readonly #clock: Clock;
  #at = Infinity;
  #timer: ClockTimer | undefined;
  #end!: () => void;
  readonly #over = new Promise<void>(resolve => (this.#end = resolve));

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** From now on at most so many milliseconds; 0: no reason to hurry. */
  shorten(timeout: number): void {
    const at = this.#clock.now() + timeout;
    if (timeout === 0 || at >= this.#at) return;
    this.#timer?.cancel();
    this.#at = at;
    this.#timer = deadline(this.#clock, timeout, this.#end, true);
  }

  /** Milliseconds that are left, at least 1; Infinity: no deadline. */
  get remaining(): number {
    return Math.max(1, this.#at - this.#clock.now());
  }

  /** Waits for this, but no longer than the deadline, wherever that has moved meanwhile. */
  async within(work: Promise<unknown> | undefined): Promise<void> {
    await Promise.race([work, this.#over]);
  }

  /** Stops the clock: the shutdown has ended. */
  stop(): void {
    this.#timer?.cancel();
  }
}
