import { Buffer } from 'node:buffer';
import { UsageError } from '../../errors.js';
import { ValueDecoder } from '../codec/decoder.js';
import type { Body, Encoded } from './types.js';

/** The one body of a link: it shows the message that is being handed over, and nothing afterwards. */
export class ReceivedBody implements Body {
  /** Decoder of this link alone: one sender must not be able to fill the cache of object shapes for others. */
  readonly #decoder = new ValueDecoder();
  #buf: Buffer | undefined;
  #start = 0;
  #end = 0;
  /** The memory will not be reused by others: decoded values may refer to it. */
  #owned = false;

  /** Shows the bytes that a message brought. */
  show(buf: Buffer, start: number, end: number, owned: boolean): void {
    this.#buf = buf;
    this.#start = start;
    this.#end = end;
    this.#owned = owned;
  }

  hide(): void {
    this.#buf = undefined;
  }

  get length(): number {
    return this.#end - this.#start;
  }

  value(): unknown {
    const buf = this.#shown();
    if (this.#end === this.#start) return undefined;
    const owned = this.#owned;
    // A second decoding must not share memory with the first.
    this.#owned = false;
    return this.#decoder.decode(buf, this.#start, this.#end, owned);
  }

  take(): Encoded {
    const bytes = this.#shown().subarray(this.#start, this.#end);
    if (!this.#owned) return Buffer.from(bytes);
    this.#owned = false;
    return bytes;
  }

  #shown(): Buffer {
    if (this.#buf === undefined)
      throw new UsageError('a message body is read after its message was handed over: decode or take it at once');
    return this.#buf;
  }
}
