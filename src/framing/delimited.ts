import { withMessagesOf } from '../decorators/connection/message-kinds.js';
import { anything, checkGiven } from '../option-rules.js';
import { tooLarge } from './failures.js';
import type { Chunk, Decoder, Framing } from './framing.js';
import { overlapsItself } from './decoding/overlap.js';
import { payloadOf } from './payload.js';
import { delimiterPattern, type DelimiterPattern } from './decoding/delimiter-pattern.js';
import { PatternDecoder } from './decoding/pattern-decoder.js';
import { QueuedDecoder } from './decoding/queued-decoder.js';
import { wholeOf } from './whole.js';

class DelimitedDecoder extends QueuedDecoder<Buffer> {
  readonly #delimiter: Buffer;
  readonly #limit: number;

  constructor(delimiter: Buffer, limit: number) {
    super();
    this.#delimiter = delimiter;
    this.#limit = limit;
  }

  next(): Buffer | undefined {
    const queue = this.queue;
    const length = queue.find(this.#delimiter);
    // Without a delimiter, the last bytes may be the beginning of one.
    const least = length < 0 ? queue.length - this.#delimiter.length + 1 : length;
    if (least > this.#limit) throw tooLarge('a message', this.#limit);
    if (length < 0) return undefined;
    const message = queue.take(length);
    queue.skip(this.#delimiter.length);
    return message;
  }

  end(): Buffer | undefined {
    if (this.queue.length > this.#limit) throw tooLarge('a message', this.#limit);
    return this.queue.length > 0 ? this.queue.drain() : undefined;
  }
}

/**
 * Messages of bytes with a delimiter behind each; an undelimited last one is delivered when the peer finishes.
 * Encoding throws for a message that contains the delimiter.
 *
 * The delimiter may be a regular expression over the bytes, each one character from \x00 to \xff. It is found across chunks and taken as
 * soon as it matches; bytes that come later and prolong that match are swallowed with it. So that it costs linear time whatever a peer
 * sends, `*`, `+` and `{n,}` repeat at most 64 times, and anchors, lookaround, back references and
 * patterns with too many ways to match the same bytes (`(a+)+`, `a*a*b`) are refused. What is sent behind a message is `send`; without it nothing can be encoded.
 * @throws TypeError for an empty delimiter or a pattern that is refused.
 * @example delimited(Buffer.from([0]))
 * @example delimited(/\r\n|\r|\n/, { send: '\r\n' })
 */
export function delimited(by: Chunk | RegExp, options: { readonly send?: Chunk } = {}): Framing<Buffer, Chunk> {
  checkGiven('delimited()', options, { send: anything });
  if (by instanceof RegExp) return byPattern(delimiterPattern(by), options.send);
  const delimiter = Buffer.from(payloadOf(by, 'delimited()'));
  if (delimiter.length === 0) throw new TypeError('delimited() needs a delimiter of at least one byte');
  const overlaps = overlapsItself(delimiter);
  const contentOf = (message: Chunk): Buffer => {
    const content = payloadOf(message, 'delimited()');
    const contained = overlaps ? Buffer.concat([content, delimiter]).indexOf(delimiter) !== content.length : content.includes(delimiter);
    if (contained) throw containsDelimiter(delimiter.toString('latin1'));
    return content;
  };
  return framing(limit => new DelimitedDecoder(delimiter, limit), contentOf, delimiter);
}

function byPattern(pattern: DelimiterPattern, send: Chunk | undefined): Framing<Buffer, Chunk> {
  const decoder = (limit: number): PatternDecoder => new PatternDecoder(pattern, limit);
  if (send === undefined) {
    const encode = (): never => {
      throw new TypeError(
        `delimited(/${pattern.source}/) cannot encode: say what is sent behind a message, delimited(/${pattern.source}/, { send: '\\n' })`,
      );
    };
    return withMessagesOf(Buffer, {
      decoder,
      encode,
      whole: wholeOf(
        { decoder, encode },
        message => payloadOf(message, 'delimited()'),
        () => Buffer.alloc(0),
      ),
    });
  }
  const delimiter = Buffer.from(payloadOf(send, 'delimited()'));
  const contentOf = (message: Chunk): Buffer => {
    const content = payloadOf(message, 'delimited()');
    const found = pattern.first(content.toString('latin1') + delimiter.toString('latin1'));
    if (found?.start !== content.length || found.end !== content.length + delimiter.length) throw containsDelimiter(pattern.source);
    return content;
  };
  if (pattern.first(delimiter.toString('latin1'))?.end !== delimiter.length)
    throw new TypeError(`delimited(/${pattern.source}/): send does not match the pattern`);
  return framing(decoder, contentOf, delimiter);
}

function framing(
  decoder: (limit: number) => Decoder<Buffer>,
  contentOf: (message: Chunk) => Buffer,
  delimiter: Buffer,
): Framing<Buffer, Chunk> {
  const stream = { decoder, encode: (message: Chunk) => [contentOf(message), delimiter], symmetric: true as const };
  // An empty last message of a datagram is told by its delimiter; any other needs none.
  return withMessagesOf(Buffer, { ...stream, whole: wholeOf(stream, contentOf, () => Buffer.alloc(0)) });
}

function containsDelimiter(delimiter: string): TypeError {
  return new TypeError(`a message cannot contain its delimiter ${JSON.stringify(delimiter)}`);
}
