import { Buffer } from 'node:buffer';
import { isUtf8 } from 'node:buffer';
import { ProtocolError } from '../../errors.js';
import { SHORT, shortText } from './short-text.js';
import { Tag } from '../codec/tags.js';

const DOUBLE = new Float64Array(1);
const DOUBLE_BYTES = new Uint8Array(DOUBLE.buffer);

/** Reads what is no object, and never beyond its end. */
export class ByteReader {
  buf: Buffer = Buffer.alloc(0);
  pos = 0;
  end = 0;

  byte(): number {
    if (this.pos >= this.end) throw cutOff();
    return this.buf[this.pos++]!;
  }

  uint32(): number {
    const { buf, pos } = this;
    if (pos + 4 > this.end) throw cutOff();
    this.pos = pos + 4;
    return (buf[pos]! | (buf[pos + 1]! << 8) | (buf[pos + 2]! << 16) | (buf[pos + 3]! << 24)) >>> 0;
  }

  double(): number {
    const { buf, pos } = this;
    if (pos + 8 > this.end) throw cutOff();
    for (let i = 0; i < 8; i++) DOUBLE_BYTES[i] = buf[pos + i]!;
    this.pos = pos + 8;
    return DOUBLE[0]!;
  }

  /** A view of the next bytes: copy what is to be kept. */
  bytes(length: number): Buffer {
    const start = this.skip(length);
    return this.buf.subarray(start, start + length);
  }

  /** Passes over bytes; where they began. */
  skip(length: number): number {
    const start = this.pos;
    if (length > this.end - start) throw cutOff();
    this.pos = start + length;
    return start;
  }

  string(): string {
    const tag = this.byte();
    if (tag >= Tag.STRING && tag < Tag.STRING_END) return this.latin1(tag - Tag.STRING);
    if (isTextAt(tag)) return this.text(tag);
    throw malformed('no string where one belongs');
  }

  /** A string behind one of the tags of `isText`. */
  text(tag: number): string {
    if (tag === Tag.STRING8) return this.latin1(this.byte());
    if (tag === Tag.STRING32) return this.latin1(this.uint32());
    if (tag === Tag.UTF8) {
      const bytes = this.bytes(this.uint32());
      if (!isUtf8(bytes)) throw malformed('no UTF-8');
      return bytes.toString('utf8');
    }
    const length = (tag === Tag.UTF16_8 ? this.byte() : this.uint32()) * 2;
    const start = this.skip(length);
    return this.buf.toString('utf16le', start, start + length);
  }

  latin1(length: number): string {
    const start = this.skip(length);
    return length <= SHORT ? shortText(this.buf, start, length) : this.buf.toString('latin1', start, start + length);
  }
}

/** Whether a text of more than 31 bytes or beyond latin1 follows. */
export function isTextAt(tag: number): boolean {
  return tag >= Tag.STRING8 && tag <= Tag.UTF16;
}

export function cutOff(): ProtocolError {
  return malformed('it is cut off');
}

export function malformed(what: string, cause?: unknown): ProtocolError {
  return new ProtocolError(`malformed value: ${what}`, cause === undefined ? undefined : { cause });
}
