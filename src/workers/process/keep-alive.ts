import type { HostProcess } from '../../hosts/host.js';
import { setImmediate } from '../../system-timers.js';

/**
 * A process with calls keeps the program running, one without does not: a script that ends exits by itself.
 * Letting go is looked at when the turn is over, because the next call is often made in the turn in which the last one ended.
 */
export class ProgramKeepAlive {
  readonly #process: HostProcess;
  #kept = true;
  #checking = false;

  constructor(process: HostProcess) {
    this.#process = process;
  }

  on(): void {
    if (!this.#kept) this.#set(true);
  }

  off(): void {
    if (this.#kept) this.#set(false);
  }

  /** Lets go after this turn, if it is at rest then. */
  offWhen(atRest: () => boolean): void {
    if (this.#checking || !this.#kept) return;
    this.#checking = true;
    setImmediate(() => {
      this.#checking = false;
      if (atRest()) this.off();
    });
  }

  #set(kept: boolean): void {
    this.#kept = kept;
    this.#process.keepAlive(kept);
  }
}
