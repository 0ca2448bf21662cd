import { Duplex } from 'node:stream';
import type { HostExit, HostProcess } from '../host.js';
import { setImmediate } from '../../system-timers.js';

/** A worker that could not even be launched: gone before it was there. */
export class NotLaunched implements HostProcess {
  readonly pid = 0;
  readonly stream = deadStream();
  readonly #exit: HostExit;

  /** @param permanent it will not be launched the next time, either */
  constructor(error: Error, permanent: boolean) {
    this.#exit = { exitCode: null, signal: null, stderr: '', memory: false, error, permanent };
  }

  mark(): number {
    return 0;
  }
  kill(): void {}
  /** Reports the exit in a turn of its own: the code that starts the worker has returned by then. */
  onExit(exited: (exit: HostExit) => void): void {
    setImmediate(exited, this.#exit);
  }
  rss(): undefined {}
  isStopped(): boolean {
    return false;
  }
  keepAlive(): void {}
}

export function deadStream(): Duplex {
  const stream = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  stream.on('error', () => {});
  stream.destroy();
  return stream;
}
