import { withMessagesOf } from '../decorators/connection/message-kinds.js';
import { FramingError } from '../errors.js';
import { tooLarge, truncated } from './failures.js';
import type { Chunk, Framing } from './framing.js';
import { payloadOf } from './payload.js';
import { QueuedDecoder } from './decoding/queued-decoder.js';
import { datagrams } from './whole.js';

const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const COMMA = 0x2c;

class NetstringDecoder extends QueuedDecoder<Buffer> {
  readonly #limit: number;
  /** The length read so far, and its number of digits; `#head` includes the colon once it has come. */
  #length = 0;
  #head = 0;
  #headDone = false;

  constructor(limit: number) {
    super();
    this.#limit = Math.min(limit, Number.MAX_SAFE_INTEGER);
  }

  next(): Buffer | undefined {
    const queue = this.queue;
    if (!this.#headDone && !this.#readHead()) return undefined;
    if (!queue.has(this.#head + this.#length + 1)) return undefined;
    if (queue.at(this.#head + this.#length) !== COMMA) throw new FramingError(`a netstring of ${this.#length} bytes does not end with ','`);
    queue.skip(this.#head);
    const content = queue.take(this.#length);
    queue.skip(1);
    this.#length = this.#head = 0;
    this.#headDone = false;
    return content;
  }

  end(): undefined {
    if (this.queue.length > 0) throw truncated('a netstring', this.queue.length);
  }

  #readHead(): boolean {
    const queue = this.queue;
    while (queue.has(this.#head + 1)) {
      const byte = queue.at(this.#head);
      if (byte === COLON && this.#head > 0) {
        this.#head++;
        return (this.#headDone = true);
      }
      if (byte < ZERO || byte > NINE) throw new FramingError('a netstring begins with its length in digits and a colon');
      if (this.#head > 0 && this.#length === 0) throw new FramingError('the length of a netstring has no leading zeros');
      this.#length = this.#length * 10 + byte - ZERO;
      if (this.#length > this.#limit) throw tooLarge(`a netstring of ${this.#length} bytes or more`, this.#limit);
      this.#head++;
    }
    return false;
  }
}

/**
 * Netstrings: `5:hello,`. The length is refused as soon as its digits exceed the limit. On udp and ws a message is a datagram, without the
 * wrapping.
 * @see https://cr.yp.to/proto/netstrings.txt
 * @example netstring()
 */
export function netstring(): Framing<Buffer, Chunk> {
  const encode = (message: Chunk): Chunk | readonly Chunk[] => {
    if (typeof message === 'string') return `${Buffer.byteLength(message)}:${message},`;
    const bytes = payloadOf(message, 'netstring()');
    return [`${bytes.length}:`, bytes, ','];
  };
  const stream = { decoder: (limit: number) => new NetstringDecoder(limit), encode, symmetric: true as const };
  return withMessagesOf(Buffer, {
    ...stream,
    whole: datagrams(
      stream,
      datagram => datagram,
      message => payloadOf(message, 'netstring()'),
    ),
  });
}
