import { textOf } from '../text.js';

const EMPTY: Buffer = Buffer.alloc(0);

/** Chunks below this many bytes are copied together: as a part of its own each would cost some 200 bytes beside its content. */
const SMALL = 512;
const SMALLEST_BLOCK = 256;
const LARGEST_BLOCK = 16 * 1024;

/** A remainder is copied out of its chunk when the chunk is this many times larger: a waiting half message must not hold 64 KB. */
const SPARSE = 4;

/** Bytes of the memory that Node shares between small Buffers: from Node 26 on a little more than `Buffer.poolSize`. */
const POOL_BYTES = Buffer.allocUnsafe(1).buffer.byteLength;

/**
 * Bytes in the order in which they came, as a list of chunks: each byte is looked at once and copied at most twice
 * (out of a tiny chunk, and into the message that it belongs to), however the stream was cut.
 *
 * Concatenating at every chunk instead is quadratic: 16 MB in chunks of 1448 bytes cost 40 s that way, some milliseconds this way.
 * @example
 * queue.push(chunk);
 * const end = queue.find(NEWLINE);
 * if (end >= 0) { const line = queue.text(end, 'utf8'); queue.skip(1); }
 */
export class ByteQueue {
  /** The chunk being read, for fast paths that look at it in place: never write to it. Its bytes before {@link offset} are gone. */
  head: Buffer = EMPTY;
  /** Where the queue begins in {@link head}. */
  offset = 0;
  /** Bytes in the queue. */
  length = 0;
  /** How far {@link find} has looked for the end of the first message, counted from the start of the queue. */
  scanned = 0;

  /** The chunks behind head; those before #next have been read. */
  #parts: Buffer[] = [];
  #next = 0;
  /** The memory that the last part is the beginning of, when it gathers small chunks. */
  #block: Buffer | undefined;
  /** The part that was looked at last (-1: head), and the position of its first byte. Positions are asked for in rising order, so this saves the way. */
  #cursor = -1;
  #cursorAt = 0;

  /** Takes a chunk in; it belongs to the queue from now on. */
  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    if (this.length === 0) {
      this.head = chunk;
      this.offset = 0;
    } else if (chunk.length < SMALL) this.#gather(chunk);
    else {
      this.#parts.push(chunk);
      this.#block = undefined;
    }
    this.length += chunk.length;
  }

  /** Whether the first `count` bytes are there. */
  has(count: number): boolean {
    if (this.length >= count) return true;
    this.settle();
    return false;
  }

  /** The byte at `position`, which must lie in the queue. */
  at(position: number): number {
    const inHead = this.offset + position;
    if (inHead < this.head.length) return this.head[inHead]!;
    const part = this.#partAt(position);
    return part[position - this.#cursorAt]!;
  }

  /** A view of the bytes from `position` to the end of the chunk they lie in; empty at the end of the queue. Not to be given away. */
  piece(position: number): Buffer {
    if (position >= this.length) return EMPTY;
    const inHead = this.offset + position;
    if (inHead < this.head.length) return this.head.subarray(inHead);
    const part = this.#partAt(position);
    return part.subarray(position - this.#cursorAt);
  }

  /**
   * Where the first message's delimiter begins; -1 when it has not come yet.
   * Goes on where it stopped the last time: what was taken or skipped begins a new search.
   */
  find(delimiter: Uint8Array): number {
    const first = delimiter[0]!;
    const size = delimiter.length;
    let at = this.scanned;
    while (at + size <= this.length) {
      // In head, where most messages lie, without making a view.
      const inHead = this.offset + at < this.head.length;
      const piece = inHead ? this.head : this.piece(at);
      const from = inHead ? this.offset + at : 0;
      const hit = size === 1 ? piece.indexOf(first, from) : piece.indexOf(delimiter, from);
      if (hit >= 0) return (this.scanned = at + hit - from);
      // The piece may begin in the last bytes of this chunk and end in the next.
      const end = at + piece.length - from;
      for (at = Math.max(at, end - size + 1); at < end && at + size <= this.length; at++) {
        if (this.startsWith(delimiter, at)) return (this.scanned = at);
      }
    }
    this.scanned = at;
    this.settle();
    return -1;
  }

  /** Whether these bytes lie at `position`. */
  startsWith(bytes: Uint8Array, position = 0): boolean {
    if (position + bytes.length > this.length) return false;
    for (let i = 0; i < bytes.length; i++) if (this.at(position + i) !== bytes[i]) return false;
    return true;
  }

  /**
   * Takes the first `count` bytes out, as a buffer that shares its memory with nothing in here: its owner may keep it for ever,
   * write to it or transfer it. Only a chunk that is taken whole is given out as it came: a small view would keep a large chunk alive,
   * and transferring it would take the neighbours along.
   */
  take(count: number): Buffer {
    if (count === 0) return Buffer.alloc(0);
    let bytes: Buffer;
    const whole = this.offset === 0 && count === this.head.length && count * 2 > this.head.buffer.byteLength;
    if (whole) bytes = this.head;
    else {
      bytes = Buffer.allocUnsafe(count);
      this.#copy(bytes);
    }
    this.skip(count);
    return bytes;
  }

  /** Takes the first `count` bytes out, as text. Characters that were split between chunks come out whole. */
  text(count: number, encoding: BufferEncoding): string {
    const text = this.peekText(count, encoding);
    this.skip(count);
    return text;
  }

  /** The first `count` bytes as text, without taking them out. */
  peekText(count: number, encoding: BufferEncoding): string {
    const end = this.offset + count;
    if (end <= this.head.length) return textOf(this.head, encoding, this.offset, end);
    const bytes = Buffer.allocUnsafe(count);
    this.#copy(bytes);
    return textOf(bytes, encoding);
  }

  /** Drops the first `count` bytes. */
  skip(count: number): void {
    this.length -= count;
    this.offset += count;
    this.scanned = 0;
    this.#cursor = -1;
    this.#cursorAt = 0;
    if (this.offset < this.head.length) return;
    while (this.offset >= this.head.length && this.#next < this.#parts.length) {
      this.offset -= this.head.length;
      this.head = this.#parts[this.#next]!;
      this.#parts[this.#next++] = EMPTY;
    }
    if (this.length === 0) {
      // An idle connection holds nothing.
      this.head = EMPTY;
      this.offset = 0;
    }
    if (this.#next === this.#parts.length) {
      if (this.#next > 0) this.#parts = [];
      this.#next = 0;
      // A part that is being read is not written to any more.
      this.#block = undefined;
    } else if (this.#next > 64 && this.#next * 2 > this.#parts.length) {
      this.#parts = this.#parts.slice(this.#next);
      this.#next = 0;
    }
  }

  /** Takes everything out. */
  drain(): Buffer {
    return this.take(this.length);
  }

  /** Appends a small chunk to the last block, or begins one: its size grows with what was received, so that a dribbling peer costs little. */
  #gather(chunk: Buffer): void {
    const parts = this.#parts;
    const used = this.#block === undefined ? 0 : parts[parts.length - 1]!.length;
    if (this.#block !== undefined && used + chunk.length <= this.#block.length) {
      chunk.copy(this.#block, used);
      parts[parts.length - 1] = this.#block.subarray(0, used + chunk.length);
      return;
    }
    const size = Math.max(chunk.length, Math.min(Math.max(this.length, SMALLEST_BLOCK), LARGEST_BLOCK));
    this.#block = Buffer.allocUnsafeSlow(size);
    chunk.copy(this.#block);
    parts.push(this.#block.subarray(0, chunk.length));
  }

  /** The part that holds `position`, which lies behind head; moves the cursor there. */
  #partAt(position: number): Buffer {
    if (this.#cursor < this.#next || position < this.#cursorAt) {
      this.#cursor = this.#next;
      this.#cursorAt = this.head.length - this.offset;
    }
    let part = this.#parts[this.#cursor]!;
    while (position >= this.#cursorAt + part.length) {
      this.#cursorAt += part.length;
      part = this.#parts[++this.#cursor]!;
    }
    return part;
  }

  /** Fills `target` with the first bytes. */
  #copy(target: Buffer): void {
    let filled = this.head.copy(target, 0, this.offset);
    for (let i = this.#next; filled < target.length; i++) filled += this.#parts[i]!.copy(target, filled);
  }

  /** Nothing can be given out for now: lets go of the chunk when little of it is left. `has` and `find` see to it themselves. */
  settle(): void {
    const left = this.head.length - this.offset;
    if (left === 0 || this.head.buffer.byteLength < left * SPARSE || this.head.buffer.byteLength <= POOL_BYTES) return;
    this.head = Buffer.from(this.head.subarray(this.offset));
    this.offset = 0;
  }
}
