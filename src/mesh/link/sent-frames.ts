import { distance } from './frames.js';

interface Sent {
  readonly seq: number;
  readonly frame: Buffer;
  /** Milliseconds of the clock. */
  readonly at: number;
}

/** Frames that the other side has not confirmed, oldest first. */
export class SentFrames {
  #frames: Sent[] = [];
  /** Index of the oldest: removing from the front of an array would move all others. */
  #first = 0;
  #bytes = 0;

  /** Bytes that are kept to be sent again. */
  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#frames.length - this.#first;
  }

  add(seq: number, frame: Buffer, at: number): void {
    this.#frames.push({ seq, frame, at });
    this.#bytes += frame.length;
  }

  /** Everything up to this number has been read. Gives the bytes that are confirmed by it, and when the last of them was sent. */
  confirm(seq: number): { readonly bytes: number; readonly at: number } | undefined {
    const before = this.#bytes;
    let last: Sent | undefined;
    while (this.#first < this.#frames.length && distance(this.#frames[this.#first]!.seq, seq) >= 0) {
      last = this.#frames[this.#first++]!;
      this.#bytes -= last.frame.length;
    }
    if (this.#first > 1024 && this.#first * 2 > this.#frames.length) {
      this.#frames = this.#frames.slice(this.#first);
      this.#first = 0;
    }
    return last && { bytes: before - this.#bytes, at: last.at };
  }

  /** All of them, in order. */
  *[Symbol.iterator](): Generator<Buffer> {
    for (let i = this.#first; i < this.#frames.length; i++) yield this.#frames[i]!.frame;
  }

  clear(): void {
    this.#frames = [];
    this.#first = this.#bytes = 0;
  }
}
