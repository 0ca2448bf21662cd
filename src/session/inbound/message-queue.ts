import type { Decoder, Framing } from '../../framing/framing.js';
import { lastOf } from './datagram-queue.js';
import type { ReceiveBuffer } from './stream-buffer.js';

/** Bytes that one message costs besides its own. */
const PART = 256;

/**
 * The messages of one peer whose transport delimits them itself and loses none, received and not handled yet: each has a decoder of its
 * own. How many wait is bounded by pausing the transport. Owned by one session.
 */
export class MessageQueue implements ReceiveBuffer {
  #framing: Framing<unknown, unknown>;
  #limit: number;
  #waiting: Buffer[] = [];
  #next = 0;
  /** Decoder of the message being read. */
  #decoder: Decoder<unknown> | undefined;
  #size = 0;
  weight = 0;
  readonly hasBegun = false;
  readonly hasPassedOver = false;
  isSearching = false;
  readonly from = undefined;

  constructor(framing: Framing<unknown, unknown>, limit: number) {
    this.#framing = framing.whole ?? framing;
    this.#limit = limit;
  }

  push(message: Buffer): void {
    this.#waiting.push(message);
    this.weight += message.length + PART;
  }

  get size(): number {
    return this.weight;
  }

  /** One message. Throws what the decoder throws. */
  next(): unknown {
    this.isSearching = false;
    for (;;) {
      const decoder = this.#decoder ?? this.#open();
      if (!decoder) return undefined;
      if (decoder.search?.() === false) {
        this.#decoder = decoder;
        this.isSearching = true;
        return undefined;
      }
      const message = decoder.next();
      if (message !== undefined) {
        this.#decoder = decoder;
        return message;
      }
      this.#decoder = undefined;
      const last = lastOf(decoder, this.#size);
      if (last !== undefined) return last;
    }
  }

  end(): undefined {}

  take(): Buffer {
    const rest = this.#decoder?.rest();
    const waiting = this.#waiting.slice(this.#next);
    this.drop();
    return Buffer.concat(rest ? [rest, ...waiting] : waiting);
  }

  setFraming(framing: Framing<unknown, unknown>, limit: number): void {
    this.#framing = framing.whole ?? framing;
    this.#limit = limit;
  }

  drop(): void {
    this.#decoder = undefined;
    this.#waiting = [];
    this.#next = 0;
    this.weight = 0;
  }

  #open(): Decoder<unknown> | undefined {
    const message = this.#waiting[this.#next];
    if (message === undefined) return undefined;
    this.#next++;
    if (this.#next === this.#waiting.length) {
      this.#waiting = [];
      this.#next = 0;
    }
    this.weight -= message.length + PART;
    this.#size = message.length;
    const decoder = this.#framing.decoder(this.#limit);
    decoder.push(message);
    return decoder;
  }
}
