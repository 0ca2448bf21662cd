import { Buffer } from 'node:buffer';
import { UsageError } from '../../errors.js';
import { ATTACHED_SIZE, hasAttachments, keepAttachments, type Attachments } from '../codec/attachments.js';
import { ValueDecoder } from '../codec/decoder.js';
import type { Body, Encoded } from './types.js';

/** The one body of a link: it shows the message that is being handed over, and nothing afterwards. */
export class ReceivedBody implements Body {
  /** Decoder of this link alone: one sender must not be able to fill the cache of object shapes for others. */
  readonly #decoder: ValueDecoder;
  #buf: Buffer | undefined;
  #start = 0;
  #end = 0;
  /** The memory will not be reused by others: decoded values may refer to it. */
  #owned = false;
  /** The list of that number, which came beside a message. */
  readonly #listOf: (list: number) => Attachments | undefined;
  /** The objects that came beside this message, once they were asked for. */
  #attachments: Attachments | undefined;

  /** @param trusted values may have any number of parts */
  constructor(listOf: (list: number) => Attachments | undefined = () => undefined, trusted = false) {
    this.#listOf = listOf;
    this.#decoder = new ValueDecoder({ trusted });
  }

  /** Shows the bytes that a message brought. */
  show(buf: Buffer, start: number, end: number, owned: boolean): void {
    this.#buf = buf;
    this.#start = start;
    this.#end = end;
    this.#owned = owned;
    this.#attachments = undefined;
  }

  hide(): void {
    // Objects beside a message that is not read are dropped with it.
    if (this.#buf !== undefined && this.#end > this.#start && hasAttachments(this.#buf, this.#start)) this.#attached(this.#buf);
    this.#buf = this.#attachments = undefined;
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
    const attachments = hasAttachments(buf, this.#start) ? this.#attached(buf) : undefined;
    return this.#decoder.decode(buf, this.#start, this.#end, owned, attachments);
  }

  take(): Encoded {
    const shown = this.#shown().subarray(this.#start, this.#end);
    const bytes = this.#owned ? shown : Buffer.from(shown);
    this.#owned = false;
    const attachments = hasAttachments(bytes) ? this.#attached(this.#shown()) : undefined;
    if (attachments !== undefined) keepAttachments(bytes, attachments);
    return bytes;
  }

  #attached(buf: Buffer): Attachments | undefined {
    if (this.#end - this.#start < ATTACHED_SIZE) return undefined;
    return (this.#attachments ??= this.#listOf(buf.readUInt32LE(this.#start + 1)));
  }

  #shown(): Buffer {
    if (this.#buf === undefined)
      throw new UsageError('a message body is read after its message was handed over: decode or take it at once');
    return this.#buf;
  }
}
