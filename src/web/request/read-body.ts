import type { IncomingMessage } from 'node:http';
import type { Clock, ClockTimer } from '../../clock.js';
import { deadline } from '../../deadline.js';
import { ConnectionClosedError, LimitError, UsageError } from '../../errors.js';
import { guardThis } from '../../guard.js';
import { DEAR_FROM } from '../../timing/loop-gate.js';
import { setImmediate } from '../../system-timers.js';
import { connectionOn } from '../http-connection.js';
import { bodyTooLarge, type BodyLimits } from '../incoming.js';

const NOTHING = Buffer.alloc(0);

/** Joins chunks as they come: many small ones take no more memory than their bytes, twice. */
class Gathered {
  #buffer: Buffer = NOTHING;
  /** The buffer is a chunk that others may share: not to be written to. */
  #isChunk = false;
  length = 0;

  add(chunk: Buffer): void {
    const { length } = this;
    this.length += chunk.length;
    if (length === 0) {
      this.#buffer = chunk;
      this.#isChunk = true;
      return;
    }
    if (this.#isChunk || this.length > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(this.length, 2 * length));
      this.#buffer.copy(larger, 0, 0, length);
      this.#buffer = larger;
      this.#isChunk = false;
    }
    chunk.copy(this.#buffer, length);
  }

  take(): Buffer {
    return this.#buffer.subarray(0, this.length);
  }
}

const READING = Symbol('body being read');
/** A request with the reader of its body: the same listeners serve all requests. */
interface Read extends IncomingMessage {
  [READING]?: BodyReading;
}

/** A reader of a whole body. */
export interface BodyReader {
  /** The body is whole. */
  bodyRead(body: Buffer): void;
  /** The body cannot be had: a client that has failed to send one is not asked for more. */
  bodyFailed(): void;
}

const onData = guardThis(
  (request: Read) => request,
  function (this: Read, chunk: Buffer) {
    this[READING]?.take(chunk);
  },
);
const onEnd = guardThis(
  (request: Read) => request,
  function (this: Read) {
    this[READING]?.end();
  },
);
const onLeft = guardThis(
  (request: Read) => request,
  function (this: Read) {
    this[READING]?.onLeft();
  },
);

/** A body on its way. */
class BodyReading {
  readonly #request: IncomingMessage;
  readonly #limits: BodyLimits;
  readonly #clock: Clock;
  readonly #reader: BodyReader;
  readonly #resolve: (body: Buffer) => void;
  readonly #reject: (error: Error) => void;
  readonly #gathered = new Gathered();
  /** Most bodies come together with their head, and are whole in the next turn: only then the clock is set. */
  #turn: NodeJS.Immediate | undefined;
  #timer: ClockTimer | undefined;
  #isOver = false;

  constructor(
    request: IncomingMessage,
    { limits, clock, reader }: { readonly limits: BodyLimits; readonly clock: Clock; readonly reader: BodyReader },
    resolve: (body: Buffer) => void,
    reject: (error: Error) => void,
  ) {
    this.#request = request;
    this.#limits = limits;
    this.#clock = clock;
    this.#reader = reader;
    this.#resolve = resolve;
    this.#reject = reject;
    if (limits.messageTimeout !== Infinity) this.#turn = setImmediate(this.#startClock);
  }

  take(chunk: Buffer): void {
    if (this.#isOver) return;
    this.#gathered.add(chunk);
    if (this.#gathered.length > this.#limits.maxMessageSize) this.fail(bodyTooLarge(this.#limits));
  }

  end(): void {
    if (!this.#over()) return;
    const body = this.#gathered.take();
    this.#reader.bodyRead(body);
    const connection = body.length < DEAR_FROM ? undefined : connectionOn(this.#request.socket);
    if (connection) connection.queue(() => this.#resolve(body));
    else this.#resolve(body);
  }

  /** The client has left. Called behind every body, also a whole one. */
  onLeft(): void {
    if (!this.#isOver) this.fail(new ConnectionClosedError('the client left before the request was whole'));
  }

  fail(error: Error): void {
    if (!this.#over()) return;
    this.#request.pause();
    this.#reader.bodyFailed();
    this.#reject(error);
  }

  #over(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    if (this.#turn) clearImmediate(this.#turn);
    this.#timer?.cancel();
    return true;
  }

  readonly #startClock = (): void => {
    const { messageTimeout } = this.#limits;
    const late = `the request was not whole within messageTimeout (${messageTimeout} ms)`;
    this.#timer = deadline(this.#clock, messageTimeout, () => this.fail(new LimitError('messageTimeout', late)), true);
  };
}

/**
 * Reads the body of a request as a whole.
 * @throws LimitError beyond `maxMessageSize` bytes, or when it is not whole within `messageTimeout` ms; ConnectionClosedError when the client leaves.
 */
export function readBody(request: IncomingMessage, limits: BodyLimits, clock: Clock, reader: BodyReader): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const read: Read = request;
    read[READING] = new BodyReading(request, { limits, clock, reader }, resolve, reject);
    read.on('error', () => {});
    if (read.destroyed) onLeft.call(read);
    else read.on('end', onEnd).on('close', onLeft).on('data', onData);
  });
}

/**
 * The whole body of a request that may read it by itself: a guard has been given it. It can still be read there.
 * @throws UsageError where it has been read; what reading it rejects with.
 */
export async function wholeBodyOf(request: Request): Promise<Buffer> {
  if (request.bodyUsed) throw new UsageError('the body has been read before its route: a guard reads that of `request.clone()`');
  return Buffer.from(await request.clone().arrayBuffer());
}
