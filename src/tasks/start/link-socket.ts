import { Buffer } from 'node:buffer';
import { readSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Direct } from '../../wire/link/types.js';

/** Bytes per read: the most that the kernel gives at a time. */
const READ_SIZE = 64 * 1024;

/** The worker's end of its link: reads into the same memory each time, where a stream takes new memory for every read. */
export class LinkSocket extends Socket implements Direct {
  readonly #fd: number;
  /** Memory of {@link readNow}; made when first needed. */
  #spare: Buffer | undefined;
  #take: ((chunk: Buffer) => void) | undefined;
  /** Bytes that came before there was a reader. */
  #early: Buffer[] = [];

  constructor(fd: number) {
    const buffer = Buffer.allocUnsafeSlow(READ_SIZE);
    const callback = (length: number): boolean => {
      this.#received(buffer.subarray(0, length));
      return true;
    };
    // The types know `onread` for connect() only.
    super({ fd, readable: true, writable: true, onread: { buffer, callback } } as ConstructorParameters<typeof Socket>[0]);
    this.#fd = fd;
  }

  deliverTo(take: (chunk: Buffer) => void): void {
    this.#take = take;
    const early = this.#early;
    this.#early = [];
    for (const chunk of early) take(chunk);
  }

  readNow(): void {
    if (!this.#take || this.destroyed) return;
    this.#spare ??= Buffer.allocUnsafeSlow(READ_SIZE);
    let length: number;
    try {
      length = readSync(this.#fd, this.#spare);
    } catch {
      return; // EAGAIN: nothing has come. Any other error the event loop will meet, too.
    }
    if (length > 0) this.#take(this.#spare.subarray(0, length));
  }

  #received(chunk: Buffer): void {
    if (this.#take) this.#take(chunk);
    else this.#early.push(Buffer.from(chunk));
  }
}
