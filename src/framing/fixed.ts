import { withMessagesOf } from '../decorators/connection/message-kinds.js';
import { tooLarge, truncated } from './failures.js';
import type { Chunk, Framing } from './framing.js';
import { payloadOf } from './payload.js';
import { QueuedDecoder } from './decoding/queued-decoder.js';
import { wholeOf } from './whole.js';

class FixedDecoder extends QueuedDecoder<Buffer> {
  readonly #length: number;
  readonly #limit: number;

  constructor(length: number, limit: number) {
    super();
    this.#length = length;
    this.#limit = limit;
  }

  next(): Buffer | undefined {
    if (this.#length > this.#limit && this.queue.length > 0) throw tooLarge(`a message of ${this.#length} bytes`, this.#limit);
    return this.queue.has(this.#length) ? this.queue.take(this.#length) : undefined;
  }

  end(): undefined {
    if (this.queue.length > 0) throw truncated(`a message of ${this.#length} bytes`, this.queue.length);
  }
}

/**
 * Every message has the same length, in bytes. Encoding throws for another length.
 * @throws RangeError when the length is not a whole number above 0.
 * @example fixed(512)
 */
export function fixed(length: number): Framing<Buffer, Chunk> {
  if (!Number.isSafeInteger(length) || length < 1)
    throw new RangeError(`fixed(${length}): the length of a message is a whole number of bytes above 0`);
  const encode = (message: Chunk): Chunk => {
    const bytes = payloadOf(message, 'fixed()');
    if (bytes.length !== length) throw new RangeError(`fixed(${length}) cannot encode a message of ${bytes.length} bytes`);
    return bytes;
  };
  const stream = { decoder: (limit: number) => new FixedDecoder(length, limit), encode, maxMessageSize: length, symmetric: true as const };
  return withMessagesOf(Buffer, { ...stream, whole: wholeOf(stream, encode) });
}
