import { MessageTooLargeError } from '../errors.js';
import { notCloneable } from './cloneable.js';
import { encodeObject } from './objects.js';
import { Sink } from './sink.js';
import { MAX_DEPTH, Tag } from './tags.js';

/** Thrown inside the encoder only; the path is looked for once it is needed. */
export const REFUSED: unique symbol = Symbol('refused');
/** Up to here, looking through the objects seen so far is cheaper than a Map of them. */
const FEW = 24;
const NOTHING = {};
const DOUBLE = new Float64Array(1);
const DOUBLE_BYTES = new Uint8Array(DOUBLE.buffer);

/** Writes values into its sink, in one pass. */
export class Encoder extends Sink {
  /** True while a value is being written: a getter or a proxy in it may run anybody's code. */
  busy = false;
  #depth = 0;
  /** The objects of this value in the order in which they were begun: the first few, then all of them in `#many`. */
  readonly #few: object[] = new Array<object>(FEW).fill(NOTHING);
  #many: Set<object> | undefined;
  /** Of the members of `#many`, once one of them came again. */
  #indices: Map<object, number> | undefined;
  #seen = 0;
  /** The objects that were begun since the innermost `optional`: it may have to forget them. */
  #added: object[] | undefined;
  #shared = false;

  /**
   * Writes one value, at most `limit` bytes (0: any number). `root` is what paths and messages call it.
   * Throws NotCloneableError or MessageTooLargeError; then nothing has been written.
   */
  encode(value: unknown, limit: number, root: string): void {
    const start = this.pos - this.base;
    this.busy = true;
    this.limit(limit, root);
    try {
      this.value(value);
      if (this.#shared) this.#markShared(this.base + start);
    } catch (error) {
      this.pos = this.base + start;
      throw error instanceof MessageTooLargeError ? error : notCloneable(value, root, error);
    } finally {
      this.unlimit();
      this.#forget();
      this.busy = false;
    }
  }

  value(value: unknown): void {
    switch (typeof value) {
      case 'string':
        return this.string(value);
      case 'number':
        return this.number(value);
      case 'object':
        if (value === null) return this.byte(Tag.NULL);
        return this.#object(value);
      case 'boolean':
        return this.byte(value ? Tag.TRUE : Tag.FALSE);
      case 'undefined':
        return this.byte(Tag.UNDEFINED);
      case 'bigint':
        return this.#bigint(value);
      default:
        throw REFUSED;
    }
  }

  byte(value: number): void {
    if (this.pos >= this.cap) this.reserve(1);
    this.buf[this.pos++] = value;
  }

  uint32(value: number): void {
    if (this.pos + 4 > this.cap) this.reserve(4);
    const { buf, pos } = this;
    buf[pos] = value;
    buf[pos + 1] = value >>> 8;
    buf[pos + 2] = value >>> 16;
    buf[pos + 3] = value >>> 24;
    this.pos = pos + 4;
  }

  double(value: number): void {
    if (this.pos + 8 > this.cap) this.reserve(8);
    const { buf, pos } = this;
    DOUBLE[0] = value;
    for (let i = 0; i < 8; i++) buf[pos + i] = DOUBLE_BYTES[i]!;
    this.pos = pos + 8;
  }

  bytes(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.buf.set(bytes, this.pos);
    this.pos += bytes.length;
  }

  padding(bytes: number): void {
    this.reserve(bytes);
    this.buf.fill(0, this.pos, this.pos + bytes);
    this.pos += bytes;
  }

  number(value: number): void {
    if (this.pos + 9 > this.cap) this.#roomForNumber(value);
    const { buf, pos } = this;
    if ((value | 0) === value && (value !== 0 || 1 / value > 0)) {
      if (value >= 0 && value < Tag.INT_END) {
        buf[pos] = value;
        this.pos = pos + 1;
      } else if (value >= -0x80 && value < 0x80) {
        buf[pos] = Tag.INT8;
        buf[pos + 1] = value;
        this.pos = pos + 2;
      } else if (value >= -0x8000 && value < 0x8000) {
        buf[pos] = Tag.INT16;
        buf[pos + 1] = value;
        buf[pos + 2] = value >> 8;
        this.pos = pos + 3;
      } else {
        buf[pos] = Tag.INT32;
        this.pos = pos + 1;
        this.uint32(value);
      }
    } else if (value >= 0 && value >>> 0 === value && value !== 0) {
      buf[pos] = Tag.UINT32;
      this.pos = pos + 1;
      this.uint32(value);
    } else {
      buf[pos] = Tag.DOUBLE;
      this.pos = pos + 1;
      this.double(value);
    }
  }

  string(value: string): void {
    const { length } = value;
    if (length > 31) return this.#longString(value);
    if (this.pos + length + 1 > this.cap) this.reserve(length + 1);
    const { buf, pos } = this;
    buf[pos] = Tag.STRING + length;
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code > 0xff) return this.#shortWide(value);
      buf[pos + 1 + i] = code;
    }
    this.pos = pos + length + 1;
  }

  /** The keys and values of an object, and END. Own enumerable string keys only, as structuredClone takes them. */
  properties(object: object): void {
    for (const key in object) {
      if (!Object.prototype.hasOwnProperty.call(object, key)) continue;
      this.string(key);
      this.value((object as Record<string, unknown>)[key]);
    }
    this.byte(Tag.END);
  }

  /**
   * Runs `write`; if what it writes cannot be copied or is too large, it is as if it had not been called.
   * For the parts of errors, which must not keep the error from arriving.
   */
  optional(write: () => void): boolean {
    const start = this.pos - this.base;
    const depth = this.#depth;
    const outer = this.#added;
    const added: object[] = (this.#added = []);
    try {
      write();
      if (outer !== undefined) for (const object of added) outer.push(object);
      return true;
    } catch {
      this.pos = this.base + start;
      this.#depth = depth;
      this.#seen -= added.length;
      for (const object of added) {
        this.#many?.delete(object);
        this.#indices?.delete(object);
      }
      if (this.#seen < FEW) this.#many = this.#indices = undefined;
      return false;
    } finally {
      this.#added = outer;
    }
  }

  #object(value: object): void {
    const index = this.#remember(value);
    if (index >= 0) {
      this.#shared = true;
      this.byte(Tag.REF);
      return this.uint32(index);
    }
    if (++this.#depth > MAX_DEPTH) throw REFUSED;
    if (Array.isArray(value)) this.#array(value);
    else {
      const proto: unknown = Object.getPrototypeOf(value);
      if (proto === Object.prototype || proto === null) {
        this.byte(Tag.OBJECT);
        this.properties(value);
      } else encodeObject(this, value, REFUSED);
    }
    this.#depth--;
  }

  #array(array: readonly unknown[]): void {
    const { length } = array;
    // Every element takes a byte at least: an array of length 2³²−1 is refused before its holes are walked.
    this.reserve(length + (length < 16 ? 1 : 5));
    if (length < 16) this.buf[this.pos++] = Tag.ARRAY + length;
    else {
      this.buf[this.pos++] = Tag.ARRAY32;
      this.uint32(length);
    }
    const head = this.pos - this.base - (length < 16 ? 1 : 5);
    for (let i = 0; i < length; i++) {
      const item = array[i];
      if (item === undefined && !(i in array)) {
        this.buf[this.base + head] = length < 16 ? Tag.SPARSE + length : Tag.SPARSE32;
        this.byte(Tag.HOLE);
      } else this.value(item);
    }
  }

  /** The index of an object that was begun before, or -1, and then it is remembered. */
  #remember(object: object): number {
    const few = this.#few;
    const seen = this.#seen;
    if (seen < FEW) {
      for (let i = 0; i < seen; i++) if (few[i] === object) return i;
      few[seen] = object;
    } else {
      const index = this.#amongMany(object, seen);
      if (index >= 0) return index;
    }
    this.#seen = seen + 1;
    this.#added?.push(object);
    return -1;
  }

  #amongMany(object: object, seen: number): number {
    if (this.#indices !== undefined) {
      const index = this.#indices.get(object);
      if (index !== undefined) return index;
      this.#indices.set(object, seen);
      return -1;
    }
    // A Set, because adding tells whether it was there: one look-up where nothing is shared. It keeps the order in which its members came.
    const many = (this.#many ??= new Set(this.#few));
    many.add(object);
    if (many.size > seen) return -1;
    this.#indices = new Map();
    for (const member of many) this.#indices.set(member, this.#indices.size);
    return this.#indices.get(object)!;
  }

  #forget(): void {
    const used = this.#seen < FEW ? this.#seen : FEW;
    for (let i = 0; i < used; i++) this.#few[i] = NOTHING;
    this.#seen = 0;
    this.#depth = 0;
    this.#many = this.#indices = undefined;
    this.#shared = false;
  }

  /** Sharing is rare and known only at the end: the value moves by one byte then. */
  #markShared(start: number): void {
    const offset = start - this.base;
    this.reserve(1);
    const from = this.base + offset;
    this.buf.copyWithin(from + 1, from, this.pos);
    this.buf[from] = Tag.SHARED;
    this.pos++;
  }

  /** Near the limit a number needs exactly its own bytes. */
  #roomForNumber(value: number): void {
    const int = (value | 0) === value && (value !== 0 || 1 / value > 0);
    if (!int) return this.reserve(value >= 0 && value >>> 0 === value && value !== 0 ? 5 : 9);
    this.reserve(value >= 0 && value < Tag.INT_END ? 1 : value >= -0x80 && value < 0x80 ? 2 : value >= -0x8000 && value < 0x8000 ? 3 : 5);
  }

  #shortWide(value: string): void {
    const { length } = value;
    this.reserve(length * 2 + 2);
    const { buf } = this;
    let { pos } = this;
    buf[pos++] = Tag.UTF16_8;
    buf[pos++] = length;
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      buf[pos++] = code;
      buf[pos++] = code >> 8;
    }
    this.pos = pos;
  }

  #longString(value: string): void {
    const { length } = value;
    const head = length < 0x100 ? 2 : 5;
    const { pos } = this;
    // One native call for most strings: as many bytes as code units, so every one of them is ASCII.
    if (pos + head + length * 3 <= this.cap && this.buf.write(value, pos + head, 'utf8') === length) return this.#sealAscii(pos, length);
    const bytes = Buffer.byteLength(value);
    if (bytes === length) {
      this.reserve(head + length);
      this.buf.write(value, this.pos + head, 'latin1');
      this.#sealAscii(this.pos, length);
    } else if (bytes <= length * 2 && isWellFormed(value)) {
      this.reserve(bytes + 5);
      this.buf[this.pos++] = Tag.UTF8;
      this.uint32(bytes);
      this.pos += this.buf.write(value, this.pos, 'utf8');
    } else {
      this.reserve(length * 2 + 5);
      this.buf[this.pos++] = Tag.UTF16;
      this.uint32(length);
      this.pos += this.buf.write(value, this.pos, 'utf16le');
    }
  }

  #sealAscii(pos: number, length: number): void {
    const { buf } = this;
    if (length < 0x100) {
      buf[pos] = Tag.STRING8;
      buf[pos + 1] = length;
      this.pos = pos + 2 + length;
    } else {
      buf[pos] = Tag.STRING32;
      this.pos = pos + 1;
      this.uint32(length);
      this.pos = pos + 5 + length;
    }
  }

  #bigint(value: bigint): void {
    if (BigInt.asIntN(64, value) === value) {
      this.byte(Tag.BIGINT64);
      this.uint32(Number(BigInt.asUintN(32, value)));
      return this.uint32(Number(BigInt.asUintN(32, value >> 32n)));
    }
    const negative = value < 0n;
    const hex = (negative ? -value : value).toString(16);
    const magnitude = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
    this.byte(Tag.BIGINT);
    this.byte(negative ? 1 : 0);
    this.uint32(magnitude.length);
    this.bytes(magnitude);
  }
}

/** No surrogate stands alone. In every supported Node, but not in the library that we compile against. */
function isWellFormed(value: string): boolean {
  return (value as string & { isWellFormed(): boolean }).isWellFormed();
}
