import type { Remote } from '../../endpoints/endpoint.js';
import { FramingError } from '../../errors.js';
import type { AnswerBudget } from './answer-budget.js';
import type { Decoder, Framing } from '../../framing/framing.js';

/** Bytes that one chunk costs besides its own: a Buffer with its memory, measured at 216 bytes. */
const PART = 256;

/** Bytes that a framing may pass over between two messages, where `maxMessageSize` is smaller: signs of life of a day or more. */
const MOST_PASSED_OVER = 64 * 1024;

/** Received and not handled yet: bytes of a stream ({@link StreamBuffer}), or messages (`DatagramQueue`). */
export interface ReceiveBuffer {
  /** Its cost in memory, in bytes. */
  readonly weight: number;
  /** Bytes of what is not handled, those of a message that has begun included. */
  readonly size: number;
  /** The beginning of a message may be here. */
  readonly hasBegun: boolean;
  /** Sender of the message that `next` gave or threw last, where many peers share the transport. */
  readonly from: Remote | undefined;
  /** `next` gave nothing because the search goes on in a later turn. */
  readonly isSearching: boolean;
  /** `next` gave nothing, and what it was given since the last time was passed over: blank lines, for instance. */
  readonly hasPassedOver: boolean;
  /** For datagrams: bytes that answers to it may take where it is no valid message. */
  readonly answerBudget?: AnswerBudget;
  push(chunk: Buffer, from: Remote | undefined): void;
  next(): unknown;
  /** The peer has finished: nothing more comes. */
  onPeerEnd?(): void;
  end(): unknown;
  take(): Buffer;
  setFraming(framing: Framing<unknown, unknown>, limit: number): void;
  drop(): void;
}

/**
 * The received bytes that are not handled yet. Nothing is decoded ahead: chunks wait here until a message is asked for.
 * Owned by one session, which alone writes and reads it.
 */
export class StreamBuffer implements ReceiveBuffer {
  #framing: Framing<unknown, unknown>;
  /** Made with the first byte: an idle connection has none. */
  #decoder: Decoder<unknown> | undefined;
  /** Chunks behind those that the decoder has. */
  #chunks: Buffer[] | undefined;
  #limit: number;
  /** Memory of #chunks: their bytes and, so that a dribble of single bytes counts too, their objects. */
  weight = 0;
  /** The decoder may hold the beginning of a message. */
  hasBegun = false;
  isSearching = false;
  hasPassedOver = false;
  /** Bytes given to the decoder since its last message, and how many of them no message will have. */
  #bytesSinceMessage = 0;
  #bytesPassedOver = 0;
  /** A message came out since a chunk went in: whether the decoder then holds more, only `pending` can tell. */
  #gaveMessage = false;

  constructor(framing: Framing<unknown, unknown>, limit: number) {
    this.#framing = framing;
    this.#limit = limit;
  }

  get framing(): Framing<unknown, unknown> {
    return this.#framing;
  }

  get size(): number {
    return this.weight + (this.#bytesSinceMessage || (this.#decoder?.pending ?? 0));
  }

  /** A stream has one sender. */
  get from(): undefined {
    return undefined;
  }

  push(chunk: Buffer): void {
    this.weight += chunk.length + PART;
    (this.#chunks ??= []).push(chunk);
  }

  /** One message, or undefined when more bytes are needed. Throws whatever the decoder throws. */
  next(): unknown {
    this.isSearching = false;
    for (;;) {
      if (this.#decoder?.search?.() === false) {
        this.isSearching = true;
        return undefined;
      }
      const message = this.#decoder?.next();
      if (message !== undefined) {
        this.#gaveMessage = true;
        this.#bytesSinceMessage = this.#bytesPassedOver = 0;
        this.hasPassedOver = false;
        return message;
      }
      const chunk = this.#chunks?.shift();
      if (chunk === undefined) break;
      this.weight -= chunk.length + PART;
      this.#bytesSinceMessage += chunk.length;
      this.#gaveMessage = false;
      (this.#decoder ??= this.#framing.decoder(this.#limit)).push(chunk);
      this.hasBegun = true;
    }
    const pending = this.#decoder?.pending;
    this.hasPassedOver = pending !== undefined && this.#passOver(this.#bytesSinceMessage - pending);
    this.hasBegun = pending === undefined ? this.hasBegun && !this.#gaveMessage : pending > 0;
    return undefined;
  }

  /** Sets the number of bytes since the last message that belong to none. True: it has grown. */
  #passOver(bytes: number): boolean {
    if (bytes <= this.#bytesPassedOver) return false;
    this.#bytesPassedOver = bytes;
    const most = Math.max(this.#limit, MOST_PASSED_OVER);
    if (bytes > most) {
      throw new FramingError(`more than ${most} bytes came that belong to no message`, { code: 'ERR_PACKET_FRAMING_TOO_LARGE' });
    }
    return true;
  }

  /** The peer has finished and `next` gives no more: a last message, or undefined. Throws when one was cut off. Asked once. */
  end(): unknown {
    const decoder = this.#decoder;
    this.#decoder = undefined;
    this.hasBegun = false;
    if (!decoder) return undefined;
    if (decoder.end) return decoder.end();
    const rest = decoder.rest().length;
    if (rest > 0) {
      throw new FramingError(`the peer finished in the middle of a message, ${rest} bytes into it`, {
        code: 'ERR_PACKET_FRAMING_TRUNCATED',
      });
    }
    return undefined;
  }

  /** Everything not handled yet, taken out. The next message has a fresh decoder. */
  take(): Buffer {
    const rest = this.#decoder?.rest();
    const chunks = this.#chunks ?? [];
    this.#decoder = undefined;
    this.#chunks = undefined;
    this.weight = 0;
    this.hasBegun = false;
    this.#bytesSinceMessage = this.#bytesPassedOver = 0;
    if (chunks.length === 0) return rest ?? Buffer.alloc(0);
    return Buffer.concat(rest ? [rest, ...chunks] : chunks);
  }

  /** Switches the framing; bytes not decoded yet go through the new one. */
  setFraming(framing: Framing<unknown, unknown>, limit: number): void {
    const rest = this.take();
    this.#framing = framing;
    this.#limit = limit;
    if (rest.length > 0) this.push(rest);
  }

  /** Forgets everything. */
  drop(): void {
    this.#decoder = undefined;
    this.#chunks = undefined;
    this.weight = 0;
    this.hasBegun = false;
    this.#bytesSinceMessage = this.#bytesPassedOver = 0;
  }
}
