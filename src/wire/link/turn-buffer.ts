import { Buffer } from 'node:buffer';
import type { Attachments } from '../codec/attachments.js';
import { ValueEncoder } from '../codec/encoder.js';
import { HEADER_SIZE, writeHeader } from './frames.js';
import { SLAB_SIZE } from '../bytes/sink.js';
import { SpareMemory } from '../bytes/spare-memory.js';
import type { Encoded } from './types.js';

/** Free buffers kept for the next turns. */
const SPARE_SLABS = 4;

/** A buffer that messages are written to; reused when every write from it has been taken by the kernel. */
export interface Slab {
  readonly buf: Buffer;
  writes: number;
}

/** Bytes ready to be written, and the buffer that they lie in. */
export interface BufferedChunk {
  readonly slab: Slab;
  readonly bytes: Buffer;
}

/** The messages of this turn, one behind the other, in memory that is reused from turn to turn. */
export class TurnBuffer {
  readonly encoder = new ValueEncoder((old, end, size) => this.#replace(old, end, size));
  /** The buffer under the encoder, and where in it the bytes begin that were not taken yet. */
  #slab: Slab = { buf: this.encoder.buf, writes: 0 };
  #start = 0;
  /** Chunks in buffers before the current one. */
  #full: BufferedChunk[] = [];
  #fullBytes = 0;
  readonly #spare: Slab[] = [];
  readonly #large = new SpareMemory();

  /** Bytes that were not taken yet. */
  get length(): number {
    return this.#fullBytes + this.encoder.base - this.#start;
  }

  /** A message, header and value. */
  append(kind: number, id: number, arg: number, value: Encoded | undefined): void {
    const { encoder } = this;
    encoder.reserve(HEADER_SIZE + (value?.length ?? 0));
    this.appendHeader(value?.length ?? 0, kind, id, arg);
    if (value === undefined) return;
    encoder.bytes(value);
    encoder.base = encoder.pos;
  }

  /** A header whose value of `length` bytes is written behind this turn's messages, from where it is. */
  appendHeader(length: number, kind: number, id: number, arg: number): void {
    const { encoder } = this;
    encoder.reserve(HEADER_SIZE);
    writeHeader(encoder.buf, encoder.pos, length, kind, id, arg);
    encoder.pos += HEADER_SIZE;
    encoder.base = encoder.pos;
  }

  /** Encodes a value behind room for its header; how many bytes it took. On failure it is as if nothing had been called. */
  encode(value: unknown, limit: number, root: string, shares = false): number {
    const { encoder } = this;
    encoder.reserve(HEADER_SIZE);
    encoder.pos += HEADER_SIZE;
    try {
      encoder.encode(value, limit, root, shares);
    } catch (error) {
      encoder.pos = encoder.base;
      // A buffer that grew for a large value is not kept for the small ones that follow.
      if (encoder.buf.length !== SLAB_SIZE) encoder.use(this.#replace(encoder.buf, encoder.base, SLAB_SIZE));
      throw error;
    }
    return encoder.pos - encoder.base - HEADER_SIZE;
  }

  /** The objects that travel beside the value just encoded; undefined: none. */
  get attached(): Attachments | undefined {
    return this.encoder.attached;
  }

  /** The number of the list that it travels in. */
  numberAttached(list: number): void {
    const { encoder } = this;
    encoder.buf.writeUInt32LE(list, encoder.base + HEADER_SIZE + 1);
  }

  /** The value just encoded becomes a message of this turn. */
  seal(length: number, kind: number, id: number, arg: number): void {
    const { encoder } = this;
    writeHeader(encoder.buf, encoder.base, length, kind, id, arg);
    encoder.base = encoder.pos;
  }

  /** The value just encoded leaves the turn, without being copied where it is large. */
  detach(): Encoded {
    const { encoder } = this;
    const value = encoder.buf.subarray(encoder.base + HEADER_SIZE, encoder.pos);
    encoder.pos = encoder.base;
    if (encoder.buf.length === SLAB_SIZE) return Buffer.from(value);
    encoder.use(this.#replace(encoder.buf, encoder.base, SLAB_SIZE));
    return value;
  }

  /** Takes back the encoding of `detach`, which has been sent. */
  reuse(value: Encoded): void {
    this.#large.give(value);
  }

  /** Everything gathered so far, in order; `release` must follow for each chunk. */
  take(): BufferedChunk[] {
    const chunks = this.#full;
    const { encoder } = this;
    if (encoder.base > this.#start) {
      this.#slab.writes++;
      chunks.push({ slab: this.#slab, bytes: encoder.buf.subarray(this.#start, encoder.base) });
      this.#start = encoder.base;
    }
    if (chunks.length > 0) this.#full = [];
    this.#fullBytes = 0;
    return chunks;
  }

  /** The kernel has taken the chunk. */
  release(slab: Slab): void {
    if (--slab.writes > 0) return;
    if (slab !== this.#slab) this.#keep(slab);
    else if (this.#start === this.encoder.pos && !this.encoder.busy) {
      this.encoder.use(slab.buf);
      this.#start = 0;
    }
  }

  #replace(old: Buffer, end: number, size: number): Buffer {
    const slab = this.#slab;
    if (end > this.#start) {
      slab.writes++;
      this.#full.push({ slab, bytes: old.subarray(this.#start, end) });
      this.#fullBytes += end - this.#start;
    } else if (slab.writes === 0) this.#keep(slab);
    this.#start = 0;
    this.#slab = (size <= SLAB_SIZE ? this.#spare.pop() : undefined) ?? { buf: this.#large.take(size), writes: 0 };
    return this.#slab.buf;
  }

  #keep(slab: Slab): void {
    if (slab.buf.length === SLAB_SIZE && this.#spare.length < SPARE_SLABS) this.#spare.push(slab);
  }
}
