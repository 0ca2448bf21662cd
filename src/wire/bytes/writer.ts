import { Buffer } from 'node:buffer';
import { Sink } from './sink.js';
import { Tag } from '../codec/tags.js';

const DOUBLE = new Float64Array(1);
const DOUBLE_BYTES = new Uint8Array(DOUBLE.buffer);

/** Writes what is no object: numbers, strings, BigInts, raw bytes. */
export class ByteWriter extends Sink {
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

  /** Leaves room for a u32 that is known later: a getter may change what is being counted. */
  hole32(): number {
    this.uint32(0);
    return this.pos - this.base - 4;
  }

  fill32(at: number, value: number): void {
    this.buf.writeUInt32LE(value, this.base + at);
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

  /** Short ones by hand, one code unit after the other: up to here that is faster than leaving JavaScript. */
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

  bigint(value: bigint): void {
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
}

/** No surrogate stands alone. In every supported Node, but not in the library that we compile against. */
function isWellFormed(value: string): boolean {
  return (value as string & { isWellFormed(): boolean }).isWellFormed();
}
