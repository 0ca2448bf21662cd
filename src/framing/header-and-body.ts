import { withMessagesOf } from '../decorators/connection/message-kinds.js';
import { tooLarge, truncated } from './failures.js';
import type { Chunk, Framing } from './framing.js';
import { formatHeaderBlock, parseHeaderBlock, type HeaderBlock } from './decoding/header-block.js';
import { payloadOf } from './payload.js';
import { QueuedDecoder } from './decoding/queued-decoder.js';
import { wholeOf } from './whole.js';

/** A message of headers and a body, as in HTTP, SIP or the language server protocol. */
export interface HeaderAndBody {
  /** The first line, when it is no header: `GET / HTTP/1.1`. */
  readonly start?: string;
  /** Decoded: names in lower case, several of one name joined by ', ', no prototype. Encoded: names as they are written here. */
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

const NEWLINE = Buffer.from('\n');
const RETURN = 0x0d;

class HeaderAndBodyDecoder extends QueuedDecoder<HeaderAndBody> {
  readonly #limit: number;
  /** The block before the body, once it is here. It stays in the queue, `#blockSize` bytes, until the message is whole. */
  #block: HeaderBlock | undefined;
  #blockSize = 0;
  /** Where the line begins that is being looked for the end of. */
  #line = 0;

  constructor(limit: number) {
    super();
    this.#limit = limit;
  }

  next(): HeaderAndBody | undefined {
    const queue = this.queue;
    this.#block ??= this.#readBlock();
    const block = this.#block;
    if (block?.length === undefined) {
      if (queue.length > this.#limit) throw tooLarge(block ? 'a message' : 'a header block', this.#limit);
      return undefined;
    }
    return queue.has(this.#blockSize + block.length) ? this.#give(block, block.length) : undefined;
  }

  end(): HeaderAndBody | undefined {
    const queue = this.queue;
    if (this.#block && this.#block.length === undefined) return this.#give(this.#block, queue.length - this.#blockSize);
    // A blank line that was not finished is no message either.
    if (queue.length === 1 && queue.at(0) === RETURN) queue.skip(1);
    if (queue.length === 0) return undefined;
    throw truncated(this.#block ? `a body of ${this.#block.length} bytes` : 'a header block', queue.length - this.#blockSize);
  }

  #give(block: HeaderBlock, length: number): HeaderAndBody {
    const queue = this.queue;
    queue.skip(this.#blockSize);
    const body = queue.take(length);
    this.#block = undefined;
    this.#blockSize = this.#line = 0;
    const { start, headers } = block;
    return start === undefined ? { headers, body } : { start, headers, body };
  }

  /** Looks for the empty line, a line at a time; blank lines in front are dropped. */
  #readBlock(): HeaderBlock | undefined {
    const queue = this.queue;
    for (;;) {
      const end = queue.find(NEWLINE);
      if (end < 0) return undefined;
      const empty = end === this.#line || (end === this.#line + 1 && queue.at(this.#line) === RETURN);
      if (!empty) {
        queue.scanned = this.#line = end + 1;
        continue;
      }
      if (this.#line === 0) {
        queue.skip(end + 1);
        continue;
      }
      const size = end + 1;
      if (size > this.#limit) throw tooLarge('a header block', this.#limit);
      const block = parseHeaderBlock(queue.peekText(this.#line - 1, 'utf8'));
      // The length is the peer's word: it is compared before a byte of the body is awaited.
      if (size + (block.length ?? 0) > this.#limit) throw tooLarge(`a message of ${size + (block.length ?? 0)} bytes`, this.#limit);
      this.#blockSize = size;
      return block;
    }
  }
}

/** Framings made here. */
const MADE = new WeakSet();

/**
 * Header lines, an empty line, a body. With a Content-Length the body has that many bytes; without one it ends where the stream ends.
 * A Content-Length is added to what is sent. Lines end with CR LF when sent, and with CR LF or LF when read; blank lines before a message
 * are passed over. The limit counts headers and body together; 1000 headers are the most.
 *
 * A Transfer-Encoding, a second Content-Length, folded headers and control characters are FramingErrors when read and refused when sent:
 * they are what makes two readers see different messages. It speaks no HTTP beyond this form: for HTTP there is `packet-ts/http`.
 * @example
 * @Connection({ listen: 'tcp://127.0.0.1:7000', framing: headerAndBody() })
 * class Server { @OnData() answer({ body }: HeaderAndBody) { return { headers: { 'Content-Type': 'application/json' }, body }; } }
 */
export function headerAndBody(): Framing<HeaderAndBody> {
  const encode = (message: HeaderAndBody, announce: boolean): readonly Chunk[] => {
    const body = payloadOf(message.body, 'headerAndBody()');
    const block = formatHeaderBlock(message.start, message.headers, body.length, announce);
    return body.length === 0 ? [block] : [block, body];
  };
  const stream = {
    decoder: (limit: number) => new HeaderAndBodyDecoder(limit),
    encode: (message: HeaderAndBody) => encode(message, true),
    symmetric: true as const,
  };
  const framing = withMessagesOf(Object, { ...stream, whole: wholeOf(stream, message => encode(message, false)) });
  MADE.add(framing);
  return framing;
}

/** Requests of HTTP are messages of this framing. */
export function speaksHttp(framing: object): boolean {
  return MADE.has(framing);
}
