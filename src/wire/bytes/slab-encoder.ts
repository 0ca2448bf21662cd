import { Buffer } from 'node:buffer';
import { keepAttachments } from '../codec/attachments.js';
import { ValueEncoder } from '../codec/encoder.js';
import { REUSABLE, SpareMemory } from './spare-memory.js';
import type { Encoded } from '../link/types.js';

/** Bytes of a slab. One small value that is kept for long keeps all of it, so it is no larger. */
const SLAB = 16 * 1024;
/** Values above this size get memory of their own. */
const SMALL = 2 * 1024;
/** From this size on they keep the buffer that they were written to: to copy them once more costs more than the room to spare. */
const LARGE = 32 * 1024;
/**
 * Encodes values that are kept: small ones stay where they were written, one behind the other in a slab. A buffer for each, and a copy
 * into it, would cost more than the encoding.
 */
export class SlabEncoder {
  readonly #encoder = new ValueEncoder((_old, _end, size) => this.#more(size), SLAB);
  #slab = this.#encoder.buf;
  /** Where the next small value begins. */
  #next = 0;
  /** The buffer for large values. */
  #scratch: Buffer | undefined;
  readonly #spare = new SpareMemory();

  constructor({ regExps = true }: { readonly regExps?: boolean } = {}) {
    this.#encoder.regExps = regExps;
  }

  get busy(): boolean {
    return this.#encoder.busy;
  }

  /**
   * The encoding of this value, in memory of its own. `shares`: memory may travel beside it. Throws what the encoder
   * throws.
   */
  copyOf(value: unknown, limit: number, root: string, shares = false): Encoded {
    const bytes = this.#copyOf(value, limit, root, shares);
    const { attached } = this.#encoder;
    if (attached !== undefined) keepAttachments(bytes, attached);
    return bytes;
  }

  #copyOf(value: unknown, limit: number, root: string, shares: boolean): Encoded {
    const encoder = this.#encoder;
    try {
      encoder.encode(value, limit, root, shares);
      const { buf, base, pos } = encoder;
      const length = pos - base;
      if (buf === this.#slab && length <= SMALL) {
        this.#next = encoder.base = pos;
        // A plain view: to make a Buffer takes three times as long.
        return new Uint8Array(buf.buffer, base, length);
      }
      const bytes = buf.subarray(base, pos);
      if (length < LARGE || length < buf.length / 2) return Buffer.from(bytes);
      if (buf === this.#scratch) this.#scratch = undefined;
      return bytes;
    } finally {
      if (encoder.pos !== this.#next || encoder.buf !== this.#slab) encoder.use(this.#slab, this.#next);
    }
  }

  /** Takes back an encoding that is not needed any more. */
  reuse(encoded: Encoded): void {
    this.#spare.give(encoded);
  }

  #more(size: number): Buffer {
    if (size === SLAB) {
      this.#next = 0;
      return (this.#slab = Buffer.allocUnsafeSlow(SLAB));
    }
    if (this.#scratch !== undefined && this.#scratch.length >= size) return this.#scratch;
    const buf = this.#spare.take(size);
    if (size < REUSABLE) this.#scratch = buf;
    return buf;
  }
}
