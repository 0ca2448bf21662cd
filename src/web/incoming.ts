import type { IncomingMessage } from 'node:http';
import { ReadableStream, type ReadableStreamDefaultController, type UnderlyingSource } from 'node:stream/web';
import { guard } from '../guard.js';
import type { Clock, ClockTimer } from '../clock.js';
import { deadline, MAX_EXTENSION } from '../deadline.js';
import { setImmediate } from '../system-timers.js';
import { ConnectionClosedError, LimitError } from '../errors.js';
import { ReceivedRequest } from './received-request.js';

/** Limits of a request's body. */
export interface BodyLimits {
  readonly maxMessageSize: number;
  readonly messageTimeout: number;
}

/** More bytes are announced than may come. */
export function announcesTooMuch({ headers }: IncomingMessage, { maxMessageSize }: Pick<BodyLimits, 'maxMessageSize'>): boolean {
  return Number(headers['content-length'] ?? 0) > maxMessageSize;
}

export function bodyTooLarge({ maxMessageSize }: Pick<BodyLimits, 'maxMessageSize'>): LimitError {
  return new LimitError('maxMessageSize', `the body is larger than maxMessageSize (${maxMessageSize} bytes)`);
}

/** Whether a request has a body that a `Request` can have. */
export function hasBody({ method, headers }: IncomingMessage): boolean {
  if (method === 'GET' || method === 'HEAD') return false;
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** Pieces that are handed over as they come, however small. */
const FREE_PIECES = 16;
/** Bytes that pieces have on average at least: each takes a turn of several promises, and smaller ones wait for what comes with them. */
const PIECE = 1024;

/**
 * The body of a request, read as fast as it is asked for. It fails beyond `maxMessageSize`, and when the client has kept it waiting for
 * `messageTimeout` altogether: what the handler takes for itself does not count.
 */
class Body implements UnderlyingSource<Uint8Array> {
  readonly #request: IncomingMessage;
  readonly #limits: BodyLimits;
  readonly #clock: Clock;
  readonly #failed: (error: Error) => void;
  #bytes = 0;
  #pieces = 0;
  /** Pieces that wait for what comes in this turn of the loop. */
  #held: Buffer[] | undefined;
  /** Milliseconds that the client may still keep the handler waiting; below 0 by what it came late. */
  #patience: number;
  #since = 0;
  #timer: ClockTimer | undefined;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #served: (() => void) | undefined;

  constructor(request: IncomingMessage, limits: BodyLimits, clock: Clock, failed: (error: Error) => void) {
    this.#request = request;
    this.#limits = limits;
    this.#clock = clock;
    this.#failed = failed;
    this.#patience = limits.messageTimeout;
  }

  start(controller: ReadableStreamDefaultController<Uint8Array>): void {
    this.#controller = controller;
    const request = this.#request;
    request.on(
      'data',
      guard(request, (chunk: Buffer) => this.#data(chunk)),
    );
    request.on(
      'end',
      guard(request, () => this.#end()),
    );
    request.on(
      'close',
      guard(request, () => this.#fail(new ConnectionClosedError('the client left before the request was whole'))),
    );
    request.on('error', () => {});
    request.pause();
  }

  pull(): Promise<void> {
    return new Promise(resolve => {
      this.#served = resolve;
      this.#since = this.#clock.now();
      if (this.#patience !== Infinity) this.#timer = deadline(this.#clock, Math.max(0, this.#patience), () => this.#late(), true);
      this.#request.resume();
    });
  }

  cancel(): void {
    this.#controller = undefined;
    this.#pause();
    this.#answerPull();
  }

  #data(chunk: Buffer): void {
    if (!this.#controller) return;
    this.#bytes += chunk.length;
    if (this.#bytes > this.#limits.maxMessageSize) {
      this.#fail(bodyTooLarge(this.#limits));
      return;
    }
    if (this.#held) {
      this.#held.push(chunk);
      return;
    }
    this.#pause();
    // Bytes that come at every poll would put off the limit, which looks once more after a poll, for ever.
    if (this.#patience < -MAX_EXTENSION) {
      this.#late();
      return;
    }
    if (++this.#pieces > FREE_PIECES && this.#bytes < this.#pieces * PIECE) {
      this.#held = [chunk];
      setImmediate(guard(this.#request, this.#giveHeld));
    } else this.#give(chunk);
  }

  /** With all that has come meanwhile: the parser handles a read of the socket in one go, whatever is paused. */
  readonly #giveHeld = (): void => {
    // Emits 'data'.
    if (this.#request.readableLength > 0) this.#request.read();
    const held = this.#held!;
    this.#held = undefined;
    this.#give(held.length === 1 ? held[0]! : Buffer.concat(held));
  };

  #give(chunk: Buffer): void {
    this.#answerPull();
    // Its own bytes: a Buffer may lie in a pool that others share.
    this.#controller?.enqueue(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length));
  }

  #end(): void {
    const controller = this.#controller;
    this.#controller = undefined;
    this.#pause();
    this.#answerPull();
    controller?.close();
  }

  #late(): void {
    const { messageTimeout } = this.#limits;
    this.#fail(new LimitError('messageTimeout', `the request was not whole within messageTimeout (${messageTimeout} ms)`));
  }

  #fail(error: Error): void {
    const controller = this.#controller;
    if (!controller) return;
    this.#controller = undefined;
    this.#pause();
    this.#answerPull();
    controller.error(error);
    this.#failed(error);
  }

  #pause(): void {
    this.#request.pause();
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#served) this.#patience -= this.#clock.now() - this.#since;
  }

  #answerPull(): void {
    this.#served?.();
    this.#served = undefined;
  }
}

/** The parts of a request that have been made already. */
interface Made {
  readonly url: string;
  readonly headers: Headers;
  /** Where it has been read. */
  readonly body: Uint8Array | undefined;
}

/**
 * A request as the web's own `Request`, whose body is read as it is asked for.
 * @param failed hears why the body could not be read to its end.
 * @throws TypeError for a method that `Request` does not know: TRACE.
 */
export function requestOf(
  { incoming, signal }: { readonly incoming: IncomingMessage; readonly signal: AbortSignal },
  { url, headers, body }: Made,
  limits: BodyLimits,
  clock: Clock,
  failed: (error: Error) => void,
): Request {
  const { method = 'GET' } = incoming;
  const init = { method, headers, signal };
  if (!hasBody(incoming)) return new ReceivedRequest(url, init, limits.maxMessageSize);
  if (body) return new ReceivedRequest(url, { ...init, body: new Uint8Array(body) }, limits.maxMessageSize);
  const stream = new ReadableStream(new Body(incoming, limits, clock, failed), { highWaterMark: 0 });
  return new ReceivedRequest(url, { ...init, body: stream, duplex: 'half' }, limits.maxMessageSize);
}
