import { EXIT_REPORT, type HostProcess } from '../../../hosts/host.js';

/**
 * After the first sign of death the rest is waited for so long, in milliseconds: the exit, or the last bytes. Twice what a host may take to
 * report an exit, because two equal deadlines would race.
 */
export const EXIT_WAIT = 2 * EXIT_REPORT;

/** SIGKILL for one process, and whether it was sent. */
export class KillSwitch {
  readonly #process: HostProcess;
  #used = false;

  constructor(process: HostProcess) {
    this.#process = process;
  }

  use(): void {
    this.#used = true;
    this.#process.kill('SIGKILL');
  }

  /** {@link EXIT_WAIT} has passed: true where nothing more can be done. A process that only closed its link is killed, so that it has an exit to tell of. */
  isLastWord(exited: boolean): boolean {
    if (exited || this.#used) return true;
    this.use();
    return false;
  }
}
