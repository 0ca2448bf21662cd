import { inspect, isDeepStrictEqual } from 'node:util';
import type { CloseReason } from '../decorators/hook-types.js';
import type { Transport, TransportSink } from '../endpoints/endpoint.js';
import { raw } from '../framing/index.js';
import type { Chunk, Decoder, Framing } from '../framing/framing.js';
import { checkGiven, duration, type Rules } from '../option-rules.js';
import { closeReason, reasonOfError } from '../session/close-reasons.js';
import { toMilliseconds, type Duration } from '../units.js';
import { clearTimeout, setTimeout } from '../system-timers.js';

/** Tells what arrived instead of the expected message. */
export class ExpectationError extends Error {
  override readonly name = 'ExpectationError';
}

interface Waiter {
  /** Looks at what has arrived; undefined: not yet. */
  readonly look: () => { readonly value: unknown } | undefined;
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
  readonly what: string;
  readonly timer: NodeJS.Timeout;
}

const WITHIN: Rules = { within: duration };
const DEFAULT_WITHIN: Duration = '2s';

/**
 * A scripted peer: the other end of one connection, driven line by line from a test.
 * What arrives is kept until it is asked for; what does not arrive in time rejects, and says what did.
 * @example
 * client.send('1+1');
 * await client.expect('2');
 */
export class TestClient<In = unknown, Out = unknown> implements AsyncIterable<In>, AsyncDisposable {
  /** The reason for the close, as the handler on the other side saw it. */
  readonly closed: Promise<CloseReason>;
  readonly #transport: Transport;
  readonly #framing: Framing<In, Out>;
  #decoder: Decoder<In>;
  /** Bytes that no decoder has seen. */
  #bytes: Buffer = Buffer.alloc(0);
  #ended = false;
  #over = false;
  #error: Error | undefined;
  #waiters: Waiter[] = [];

  /** Made by `app.connect()` and `server.next()`. `closed`: how the other side's handler sees the end, where it is known; otherwise the end is told from this side. */
  constructor(transport: Transport, framing?: Framing<In, Out>, closed?: Promise<CloseReason>, allowHalfOpen = false) {
    this.#transport = transport;
    // Without a framing of its own the client speaks bytes: In is Buffer then, which the overloads of `connect` say.
    this.#framing = framing ?? (raw() as unknown as Framing<In, Out>);
    this.#decoder = this.#framing.decoder(Infinity);
    let over!: (reason: CloseReason) => void;
    const seenHere = new Promise<CloseReason>(resolve => (over = resolve));
    this.closed = closed ?? seenHere;
    this.closed.catch(() => {});
    const sink: TransportSink = {
      data: chunk => {
        this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
        this.#settle();
      },
      ended: () => {
        this.#ended = true;
        // As Node's sockets do, unless a test wants to go on sending.
        if (!allowHalfOpen) transport.end();
        this.#settle();
      },
      drained: () => {},
      closed: error => {
        this.#over = true;
        this.#ended = true;
        this.#error = error;
        over(error ? reasonOfError(error) : closeReason('peer END'));
        this.#settle();
      },
    };
    transport.open(sink);
  }

  /** Sends one message. */
  send(message: Out): void {
    const encoded = this.#framing.encode(message);
    this.#transport.write(typeof encoded === 'string' || encoded instanceof Uint8Array ? [encoded] : encoded);
  }

  /** Sends bytes as they are, past the framing. */
  write(bytes: Chunk): void {
    this.#transport.write([bytes]);
  }

  /** The next message. Rejects when none comes `within` that time (2s), or the connection ends before. */
  next(options: { within?: Duration } = {}): Promise<In> {
    checkGiven('next()', options, WITHIN);
    return this.#wait('a message', () => this.#take(), options.within);
  }

  /** The next message must be this one (deeply equal), or match. */
  async expect(expected: In | RegExp, options: { within?: Duration } = {}): Promise<void> {
    checkGiven('expect()', options, WITHIN);
    const message = await this.next(options);
    const text = typeof message === 'string' ? message : Buffer.isBuffer(message) ? message.toString() : inspect(message, { depth: 6 });
    const right = expected instanceof RegExp && !(message instanceof RegExp) ? expected.test(text) : same(message, expected);
    if (!right) throw new ExpectationError(`expected ${inspect(expected)}, but ${shown(message)} arrived`);
  }

  /** Bytes up to and including that text or match, past the framing. */
  readUntil(what: string | RegExp, options: { within?: Duration } = {}): Promise<Buffer> {
    checkGiven('readUntil()', options, WITHIN);
    this.#unframe();
    return this.#wait(
      inspect(what),
      () => {
        const end = typeof what === 'string' ? endOfText(this.#bytes, what) : endOfMatch(this.#bytes, what);
        return end < 0 ? undefined : { value: this.#cut(end) };
      },
      options.within,
    );
  }

  /** Exactly so many bytes, past the framing. */
  read(length: number, options: { within?: Duration } = {}): Promise<Buffer> {
    checkGiven('read()', options, WITHIN);
    this.#unframe();
    return this.#wait(`${length} bytes`, () => (this.#bytes.length < length ? undefined : { value: this.#cut(length) }), options.within);
  }

  /** Half-closes: nothing more will be sent. */
  end(): void {
    this.#transport.end();
  }

  /** Goes away without a word, as a reset does. */
  destroy(): void {
    this.#transport.destroy();
  }

  /** Yields every message that comes, until the connection is closed. */
  async *[Symbol.asyncIterator](): AsyncIterator<In> {
    for (;;) {
      const item = await this.#wait<In | typeof END>(
        'a message, or the end',
        () => this.#take() ?? (this.#ended ? { value: END } : undefined),
        undefined,
      );
      if (item === END) return;
      yield item;
    }
  }

  /** Destroys the connection if it is open, and waits until it is closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#over) this.destroy();
    await this.closed.catch(() => {});
  }

  #take(): { readonly value: In } | undefined {
    if (this.#bytes.length > 0) {
      this.#decoder.push(this.#bytes);
      this.#bytes = Buffer.alloc(0);
    }
    const message = this.#decoder.next() ?? (this.#ended ? this.#decoder.end?.() : undefined);
    return message === undefined ? undefined : { value: message };
  }

  /** Takes back what the decoder holds: from here on bytes are asked for. */
  #unframe(): void {
    const rest = this.#decoder.rest();
    this.#decoder = this.#framing.decoder(Infinity);
    if (rest.length > 0) this.#bytes = Buffer.concat([rest, this.#bytes]);
  }

  #cut(length: number): Buffer {
    const head = this.#bytes.subarray(0, length);
    this.#bytes = this.#bytes.subarray(length);
    return head;
  }

  #wait<T>(what: string, look: () => { readonly value: unknown } | undefined, within: Duration = DEFAULT_WITHIN): Promise<T> {
    const milliseconds = toMilliseconds(within);
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiters = this.#waiters.filter(waiter => waiter.timer !== timer);
        reject(this.#missed(what, `within ${milliseconds} ms`));
      }, milliseconds);
      this.#waiters.push({ look, resolve: resolve, reject, what, timer });
      this.#settle();
    });
  }

  /** Waiters are served in the order in which they came. */
  #settle(): void {
    for (let waiter = this.#waiters[0]; waiter; waiter = this.#waiters[0]) {
      let found: { readonly value: unknown } | undefined;
      let failure: Error | undefined;
      try {
        found = waiter.look();
      } catch (error) {
        failure = error as Error;
      }
      if (!found && !failure && !this.#ended) return;
      this.#waiters.shift();
      clearTimeout(waiter.timer);
      if (found) waiter.resolve(found.value as never);
      else waiter.reject(failure ?? this.#missed(waiter.what, 'before the connection ended'));
    }
  }

  #missed(what: string, when: string): Error {
    const rest = Buffer.concat([this.#decoder.rest(), this.#bytes]);
    this.#decoder = this.#framing.decoder(Infinity);
    this.#bytes = rest;
    const arrived = rest.length === 0 ? 'nothing arrived' : `${rest.length} bytes arrived: ${inspect(rest.toString('utf8').slice(0, 500))}`;
    return new ExpectationError(`${what} did not arrive ${when}; ${arrived}`, this.#error ? { cause: this.#error } : undefined);
  }
}

const END: unique symbol = Symbol('end of the connection');

function shown(message: unknown): string {
  return Buffer.isBuffer(message) ? inspect(message.toString()) : inspect(message, { depth: 6 });
}

function same(a: unknown, b: unknown): boolean {
  if (Buffer.isBuffer(a) && typeof b === 'string') return a.toString() === b;
  return isDeepStrictEqual(a, b);
}

function endOfText(bytes: Buffer, text: string): number {
  const at = bytes.indexOf(text);
  return at < 0 ? -1 : at + Buffer.byteLength(text);
}

function endOfMatch(bytes: Buffer, pattern: RegExp): number {
  // Latin-1 keeps one character per byte, so that the match's end is a byte offset.
  const match = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, '')).exec(bytes.toString('latin1'));
  return match === null ? -1 : match.index + match[0].length;
}
