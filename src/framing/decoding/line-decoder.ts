import { show } from '../../option-rules.js';
import { isUtf8 } from 'node:buffer';
import { FramingError } from '../../errors.js';
import { ByteQueue } from './byte-queue.js';
import { tooLarge } from '../failures.js';
import { overlapsItself } from './overlap.js';
import type { Decoder } from '../framing.js';
import { textOf } from '../text.js';

export type LineEncoding = 'utf8' | 'latin1' | 'utf16le';

/** The delimiter of lines. Made once per framing, shared by its decoders. */
export interface LineEnd {
  readonly encoding: LineEncoding;
  readonly text: string;
  readonly bytes: Buffer;
  /** A '\r' before the delimiter belongs to it: its bytes, none when it does not. */
  readonly carriageReturn: Buffer;
  /** Whether many lines may be decoded at once: the delimiter must be found in the text exactly where it is found in the bytes. */
  readonly batch: boolean;
}

/**
 * @throws TypeError for a delimiter that is empty or that the encoding does not know.
 * @example lineEnd('\n', 'utf8')
 */
export function lineEnd(text: string, encoding: LineEncoding): LineEnd {
  const bytes = Buffer.from(text, encoding);
  if (typeof text !== 'string' || text === '' || bytes.toString(encoding) !== text) {
    throw new TypeError(`${show(text)} is no delimiter: give at least one character that ${encoding} can hold`);
  }
  const carriageReturn = Buffer.from(text === '\n' ? '\r' : '', encoding);
  // In UTF-8 an ASCII byte is always that character; a delimiter that overlaps itself ('aa') is found elsewhere from behind.
  const batch = encoding !== 'utf16le' && bytes.every(byte => byte < 0x80) && !overlapsItself(bytes);
  return { encoding, text, bytes, carriageReturn, batch };
}

/**
 * As many lines as lie in this many bytes become text in one step: decoding is a call into the engine and costs more than a short line.
 * Not more, because a line cut out of a larger string keeps all of it alive for as long as it is kept itself.
 */
const BATCH = 1024;
const NONE: Buffer = Buffer.alloc(0);

/** Cuts bytes into lines. A line is decoded when it is whole, so a character may be split between chunks. */
export class LineDecoder implements Decoder<string> {
  readonly #queue = new ByteQueue();
  readonly #limit: number;
  /** Name of the option that set the limit, for messages. */
  readonly #option: 'maxLength' | 'maxMessageSize';
  readonly #end: LineEnd;
  readonly #fatal: boolean;
  readonly #delimiter: string;
  readonly #size: number;
  readonly #batchSize: number;
  readonly #dropsCarriageReturn: boolean;
  /** A batch: whole lines with their delimiters, of which those before #at have been given out. Empty when all have. */
  #text = '';
  #at = 0;
  /** The decoded lines as bytes: #from to #to of #source. */
  #source = NONE;
  #from = 0;
  #to = 0;

  /** @param fatal a line that is no UTF-8 is a FramingError */
  constructor(limit: number, end: LineEnd, option: 'maxLength' | 'maxMessageSize' = 'maxMessageSize', fatal = false) {
    this.#fatal = fatal;
    this.#limit = limit;
    this.#option = option;
    this.#end = end;
    this.#delimiter = end.text;
    this.#size = end.bytes.length;
    this.#dropsCarriageReturn = end.carriageReturn.length > 0;
    // A line within the batch cannot be above the limit. To be verified, each is looked at by itself.
    this.#batchSize = end.batch && !fatal ? Math.min(BATCH, limit + this.#size) : 0;
  }

  push(chunk: Buffer): void {
    this.#queue.push(chunk);
  }

  next(): string | undefined {
    if (this.#text === '') {
      if (this.#queue.length === 0) return undefined;
      if (!this.#fill()) return this.#single();
    }
    const text = this.#text;
    const start = this.#at;
    const end = text.indexOf(this.#delimiter, start);
    this.#at = end + this.#size;
    if (this.#at === text.length) {
      this.#text = '';
      this.#source = NONE;
    }
    return text.substring(start, this.#dropsCarriageReturn && end > start && text.charCodeAt(end - 1) === 13 ? end - 1 : end);
  }

  end(): string | undefined {
    const queue = this.#queue;
    if (queue.length === 0) return undefined;
    if (queue.length > this.#limit) throw tooLarge('a line', this.#limit, this.#option);
    return this.#textOf(queue.length);
  }

  get pending(): number {
    // Characters are counted for the batch: no more than its bytes, and 0 exactly when nothing is left.
    return this.#queue.length + (this.#text === '' ? 0 : this.#text.length - this.#at);
  }

  rest(): Buffer {
    const behind = this.#queue.drain();
    if (this.#text === '') return behind;
    // Given out were characters; how many bytes they had is known by counting their delimiters again.
    let from = this.#from;
    for (let at = 0; at < this.#at;) {
      at = this.#text.indexOf(this.#delimiter, at) + this.#size;
      from = this.#source.indexOf(this.#end.bytes, from) + this.#size;
    }
    return Buffer.concat([this.#source.subarray(from, this.#to), behind]);
  }

  /** Decodes the next batch. False when the next line is not whole in it: it is long, or split between chunks, or not all here. */
  #fill(): boolean {
    const queue = this.#queue;
    if (queue.scanned > 0) return false;
    const { head, offset } = queue;
    const size = this.#size;
    const to = Math.min(head.length, offset + this.#batchSize);
    if (to - offset < size) return false;
    const { bytes } = this.#end;
    const last = size === 1 && head[to - 1] === bytes[0] ? to - 1 : head.lastIndexOf(size === 1 ? bytes[0]! : bytes, to - size);
    if (last < offset) return false;
    this.#source = head;
    this.#from = offset;
    this.#to = last + size;
    this.#text = textOf(head, this.#end.encoding, offset, this.#to);
    this.#at = 0;
    queue.skip(this.#to - offset);
    return true;
  }

  /** Takes the next bytes out as text. */
  #textOf(length: number): string {
    const { encoding } = this.#end;
    if (!this.#fatal) return this.#queue.text(length, encoding);
    const bytes = this.#queue.take(length);
    if (!isUtf8(bytes)) throw new FramingError('a line is no UTF-8');
    return textOf(bytes, encoding);
  }

  /** One line, by the general way. */
  #single(): string | undefined {
    const queue = this.#queue;
    const { bytes, carriageReturn, encoding } = this.#end;
    let length = queue.find(bytes);
    // Bytes of two characters may look like a delimiter between them.
    while (encoding === 'utf16le' && length % 2 === 1) {
      queue.scanned = length + 1;
      length = queue.find(bytes);
    }
    if (length < 0) {
      // The last bytes may yet turn out to belong to the delimiter.
      if (queue.length > this.#limit + bytes.length - 1 + carriageReturn.length) throw tooLarge('a line', this.#limit, this.#option);
      return undefined;
    }
    const ended =
      this.#dropsCarriageReturn && length >= carriageReturn.length && queue.startsWith(carriageReturn, length - carriageReturn.length);
    const kept = ended ? length - carriageReturn.length : length;
    if (kept > this.#limit) throw tooLarge('a line', this.#limit, this.#option);
    const line = this.#textOf(kept);
    queue.skip(length - kept + bytes.length);
    return line;
  }
}
