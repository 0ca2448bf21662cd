import type { Clock, ClockTimer } from '../../clock.js';

/** The one timer after which a pool looks again whether it may start processes. */
export class Retry {
  readonly #clock: Clock;
  readonly #run: () => void;
  #timer: ClockTimer | undefined;
  #isAwaited = false;

  constructor(clock: Clock, run: () => void) {
    this.#clock = clock;
    this.#run = run;
  }

  /** Sets it, unless it is set. `isAwaited`: something waits for it, which keeps the program running until then. */
  schedule(delay: number, isAwaited: boolean): void {
    if (this.#timer && (this.#isAwaited || !isAwaited)) return;
    this.#timer?.cancel();
    this.#isAwaited = isAwaited;
    this.#timer = this.#clock.after(
      delay,
      () => {
        this.#timer = undefined;
        this.#run();
      },
      isAwaited,
    );
  }

  forget(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
