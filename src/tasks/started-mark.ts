import { Buffer } from 'node:buffer';
import { writeSync } from 'node:fs';

/** Where a worker says which calls it may have begun, so that it is known after its death. */
export interface StartedMark {
  /** Every call up to this id may have begun. Told before it begins. Never throws. */
  begin(id: number): void;
}

/** The mark of a worker process: four bytes in an unlinked file that the master reads when the process is dead. */
export class FileStartedMark implements StartedMark {
  readonly #fd: number;
  readonly #bytes = Buffer.alloc(4);

  constructor(fd: number) {
    this.#fd = fd;
  }

  begin(id: number): void {
    this.#bytes.writeUInt32LE(id, 0);
    try {
      writeSync(this.#fd, this.#bytes, 0, 4, 0);
    } catch {
      // A descriptor that user code has closed. The master then takes calls for not begun that have; the task is not to blame for it.
    }
  }
}

/** The mark of a worker that shares the master's memory. */
export class MemoryStartedMark implements StartedMark {
  highest = 0;

  begin(id: number): void {
    this.highest = id;
  }
}
