import { Buffer } from 'node:buffer';
import { MessageTooLargeError } from '../../errors.js';

/** Bytes of a fresh buffer, unless said otherwise. */
export const SLAB_SIZE = 64 * 1024;
/** Without a limit a value still has to fit a frame's length. */
const LARGEST = 0x7fff_0000;

/**
 * Where encodings are written: a buffer that is replaced by a larger one (or a fresh one) when it is full.
 * Only the message under way moves then; what was finished stays where it is.
 */
export class Sink {
  buf: Buffer;
  /** The next byte to write. */
  pos = 0;
  /** Where the message under way begins. */
  base = 0;
  /** No byte may be written at or behind this one without `reserve`: the end of the buffer or of what the limit allows. */
  cap: number;
  /** Where the value under way begins, and how far it may go. */
  #from = 0;
  #limit = LARGEST;
  #what = 'value';
  readonly #slab: number;
  readonly #replace: ((old: Buffer, end: number, size: number) => Buffer) | undefined;

  /**
   * @param replace is told that `old` holds finished messages up to `end`, and answers with a buffer of at least `size` bytes
   * @param slab bytes of a fresh buffer
   */
  constructor(replace?: (old: Buffer, end: number, size: number) => Buffer, slab = SLAB_SIZE) {
    this.#replace = replace;
    this.#slab = slab;
    this.buf = Buffer.allocUnsafeSlow(slab);
    this.cap = slab;
  }

  /** From here on a value is written; `limit` in bytes, 0: none. */
  limit(limit: number, what: string): void {
    this.#from = this.pos;
    this.#limit = limit > 0 && limit < LARGEST ? limit : LARGEST;
    this.#what = what;
    this.cap = Math.min(this.buf.length, this.pos + this.#limit);
  }

  /** Goes on in another buffer, at its beginning or behind what it holds already. Nothing may be under way. */
  use(buf: Buffer, at = 0): void {
    this.buf = buf;
    this.pos = this.base = at;
    this.cap = buf.length;
  }

  /** The value is complete. */
  unlimit(): void {
    this.#limit = LARGEST;
    this.cap = this.buf.length;
  }

  /** Makes room for `bytes` more, or throws MessageTooLargeError. */
  reserve(bytes: number): void {
    if (this.pos + bytes <= this.cap) return;
    if (this.pos - this.#from + bytes > this.#limit) throw new MessageTooLargeError(this.#what, this.#limit);
    const written = this.pos - this.base;
    const wanted = written + bytes;
    // Twice what is needed, so that growing is linear; but one large piece of memory gets what it needs and no more.
    const size = wanted <= this.#slab ? this.#slab : bytes > written ? wanted + 1024 : wanted * 2;
    const next = this.#replace === undefined ? Buffer.allocUnsafeSlow(size) : this.#replace(this.buf, this.base, size);
    this.buf.copy(next, 0, this.base, this.pos);
    this.#from -= this.base;
    this.buf = next;
    this.base = 0;
    this.pos = written;
    this.cap = Math.min(next.length, this.#from + this.#limit);
  }
}
