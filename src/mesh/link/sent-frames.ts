import { distance } from './frames.js';

interface Sent {
  readonly seq: number;
  readonly frame: Buffer;
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

  add(seq: number, frame: Buffer): void {
    this.#frames.push({ seq, frame });
    this.#bytes += frame.length;
  }

  /** Everything up to this number has been read. True when that was news. */
  confirm(seq: number): boolean {
    const before = this.#first;
    while (this.#first < this.#frames.length && distance(this.#frames[this.#first]!.seq, seq) >= 0)
      this.#bytes -= this.#frames[this.#first++]!.frame.length;
    const moved = this.#first - before;
    if (this.#first > 1024 && this.#first * 2 > this.#frames.length) {
      this.#frames = this.#frames.slice(this.#first);
      this.#first = 0;
    }
    return moved > 0;
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
