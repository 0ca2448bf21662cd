import { closeSync, constants, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { publish } from '../diagnostics.js';

/** Four bytes that outlive a worker: the highest call id that it may have begun, little-endian. */
export interface StartedMarkFile {
  /** The file that the child gets as its descriptor MARK_FD; undefined where none could be made. */
  readonly fd: number | undefined;
  read(): number;
  close(): void;
}

/** Without a mark nothing is known to be not begun: no call of a dead worker is dispatched again, and none runs twice. */
export const UNKNOWN_MARK = 0xffff_ffff;

/** The mark of a worker that must not have one. */
export const NO_MARK: StartedMarkFile = { fd: undefined, read: () => UNKNOWN_MARK, close: () => {} };

/** An unlinked file of four zero bytes: its block is taken now, so a disk that fills up later does no harm. */
function unlinkedFile(folder: string): number {
  const path = join(folder, `packet-ts-${randomUUID()}`);
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
  try {
    unlinkSync(path);
    writeSync(fd, new Uint8Array(4), 0, 4, 0);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

class UnlinkedMark implements StartedMarkFile {
  readonly fd: number;
  #last: number | undefined;

  constructor(fd: number) {
    this.fd = fd;
  }

  read(): number {
    if (this.#last !== undefined) return this.#last;
    const bytes = Buffer.allocUnsafe(4);
    try {
      return readSync(this.fd, bytes, 0, 4, 0) === 4 ? bytes.readUInt32LE(0) : UNKNOWN_MARK;
    } catch {
      return UNKNOWN_MARK;
    }
  }

  close(): void {
    if (this.#last !== undefined) return;
    this.#last = this.read();
    closeSync(this.fd);
  }
}

/**
 * Makes the mark of one worker, in the folder for temporary files or else in memory (`/dev/shm`).
 * Where neither can be written it says so once per worker as `app.warning`, and every call that a dying worker had counts as begun.
 */
export function startedMarkFile(worker: string, folders: readonly string[] = [tmpdir(), '/dev/shm']): StartedMarkFile {
  let reason: unknown;
  for (const folder of folders) {
    try {
      return new UnlinkedMark(unlinkedFile(folder));
    } catch (error) {
      reason ??= error;
    }
  }
  publish('app.warning', {
    worker,
    message: `no file can be written in ${folders.join(' or ')}: when a process of worker ${worker} dies, all calls it had count as begun`,
    error: reason,
  });
  return NO_MARK;
}
