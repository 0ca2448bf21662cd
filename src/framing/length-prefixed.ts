import { withMessagesOf } from '../decorators/connection/message-kinds.js';
import { anything, checkGiven, flag, show } from '../option-rules.js';
import { FramingError } from '../errors.js';
import type { ByteQueue } from './decoding/byte-queue.js';
import { tooLarge, truncated } from './failures.js';
import type { Chunk, Framing } from './framing.js';
import { payloadOf } from './payload.js';
import { QueuedDecoder } from './decoding/queued-decoder.js';
import { datagrams } from './whole.js';

/** Options of {@link lengthPrefixed}: how the length is written. */
export interface LengthPrefixedOptions {
  /** Bytes of the length field. Default 4. */
  readonly bytes?: 1 | 2 | 4 | 8;
  /** Default 'big'. */
  readonly endian?: 'big' | 'little';
  /** Whether the length counts its own field too. Default false. */
  readonly includesHeader?: boolean;
}

/** Reads the length fields, whatever the content is. */
export class LengthPrefix {
  readonly size: number;
  readonly #big: boolean;
  readonly #own: number;
  /** The longest content that the field can tell. */
  readonly #most: number;

  constructor({ bytes = 4, endian = 'big', includesHeader = false }: LengthPrefixedOptions) {
    if (![1, 2, 4, 8].includes(bytes)) throw new RangeError(`a length field has 1, 2, 4 or 8 bytes, not ${bytes}`);
    if (endian !== 'big' && endian !== 'little') throw new RangeError(`endian is 'big' or 'little', not ${show(endian)}`);
    this.size = bytes;
    this.#big = endian === 'big';
    this.#own = includesHeader ? bytes : 0;
    this.#most = (bytes === 8 ? Number.MAX_SAFE_INTEGER : 256 ** bytes - 1) - this.#own;
  }

  /** The length that stands at the start of the queue, which has the whole field. */
  read(queue: ByteQueue): number {
    let length = 0;
    // Not with bit operations: lengths go beyond 32 bits, and beyond 53 they only have to stay above every limit.
    for (let i = 0; i < this.size; i++) length = length * 256 + queue.at(this.#big ? i : this.size - 1 - i);
    return length - this.#own;
  }

  /** Writes the field for a content of that length to the start of `target`. */
  write(target: Buffer, length: number): void {
    if (length > this.#most) throw new RangeError(`a length field of ${this.size} bytes cannot tell ${length} bytes`);
    let left = length + this.#own;
    for (let i = 0; i < this.size; i++) {
      target[this.#big ? this.size - 1 - i : i] = left % 256;
      left = Math.floor(left / 256);
    }
  }
}

/** Cuts bytes into contents by the length before each; a length above the limit fails as soon as it is read. */
export class LengthPrefixedDecoder extends QueuedDecoder<Buffer> {
  readonly #prefix: LengthPrefix;
  readonly #limit: number;
  /** The content's length, once its field has been read; -1 before. The field stays in the queue until the message is whole. */
  #length = -1;

  constructor(prefix: LengthPrefix, limit: number) {
    super();
    this.#prefix = prefix;
    this.#limit = Math.min(limit, Number.MAX_SAFE_INTEGER);
  }

  next(): Buffer | undefined {
    const queue = this.queue;
    const { size } = this.#prefix;
    if (this.#length < 0) {
      if (!queue.has(size)) return undefined;
      const length = this.#prefix.read(queue);
      if (length < 0) throw new FramingError(`a length field of ${size} bytes says ${length + size}, which is less than itself`);
      if (length > this.#limit) throw tooLarge(`a message of ${length} bytes`, this.#limit);
      this.#length = length;
    }
    if (!queue.has(size + this.#length)) return undefined;
    queue.skip(size);
    const content = queue.take(this.#length);
    this.#length = -1;
    return content;
  }

  end(): undefined {
    if (this.queue.length > 0)
      throw truncated(this.#length < 0 ? 'a length field' : `a message of ${this.#length} bytes`, this.queue.length);
  }
}

/** Up to this size one buffer of header and content is cheaper than two to write. */
const JOINED = 4096;

/** Header and content, ready to be written. */
export function withLength(prefix: LengthPrefix, content: Uint8Array): Chunk | readonly Chunk[] {
  if (content.length > JOINED) {
    const header = Buffer.alloc(prefix.size);
    prefix.write(header, content.length);
    return [header, content];
  }
  const bytes = Buffer.allocUnsafe(prefix.size + content.length);
  prefix.write(bytes, content.length);
  bytes.set(content, prefix.size);
  return bytes;
}

/**
 * A length in front of each message. A declared length above the limit is refused before any of it is awaited or allocated.
 * Encoding throws for a message whose length the field cannot tell. On udp and ws a message is a datagram, without the length.
 * @throws RangeError for other sizes of the field than 1, 2, 4 and 8.
 * @example lengthPrefixed({ bytes: 2, endian: 'little' })
 */
export function lengthPrefixed(options: LengthPrefixedOptions = {}): Framing<Buffer, Chunk> {
  checkGiven('lengthPrefixed()', options, { bytes: anything, endian: anything, includesHeader: flag });
  const prefix = new LengthPrefix(options);
  const stream = {
    decoder: (limit: number) => new LengthPrefixedDecoder(prefix, limit),
    encode: (message: Chunk) => withLength(prefix, payloadOf(message, 'lengthPrefixed()')),
    symmetric: true as const,
  };
  return withMessagesOf(Buffer, {
    ...stream,
    whole: datagrams(
      stream,
      datagram => datagram,
      message => payloadOf(message, 'lengthPrefixed()'),
    ),
  });
}
