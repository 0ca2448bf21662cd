import type { Clock, ClockTimer } from '../../clock.js';
import { deadline } from '../../deadline.js';
import { FramingError } from '../../errors.js';
import type { Framing } from '../../framing/framing.js';
import type { StreamBuffer, ReceiveBuffer } from './stream-buffer.js';

/** Methods that a page of a browser can have sent to any port of this machine: fetch, forms, images, preflights. */
const METHODS = ['GET ', 'HEAD ', 'POST ', 'PUT ', 'PATCH ', 'DELETE ', 'OPTIONS '] as const;
const LONGEST_METHOD = 8;
const REQUEST_LINE = /^[A-Z]+ .* HTTP\/\d(?:\.\d)?\r?$/s;
/** Bytes of a first line that began like a request from which on it is taken for one: no url of a page may get past by its length. */
const MOST = 32 * 1024;
const LINE_FEED = 0x0a;
/**
 * Milliseconds of silence after which a first line that is not whole is taken for none: a browser writes its request at once, and a client
 * of another protocol may wait for the answer to what it has sent ('P', or 'GET key' without a line break).
 */
const SILENCE = 500;

/** Whether the first bytes of a connection are a request of HTTP; undefined: more are needed to tell. */
export function isHttpRequest(bytes: Buffer): boolean | undefined {
  const start = bytes.toString('latin1', 0, LONGEST_METHOD);
  const method = METHODS.find(word => start.startsWith(word) || (bytes.length < word.length && word.startsWith(start)));
  if (method === undefined) return false;
  const end = bytes.indexOf(LINE_FEED);
  if (end >= 0) return REQUEST_LINE.test(bytes.toString('latin1', 0, end));
  return bytes.length > MOST ? true : undefined;
}

/**
 * The beginning of a connection on the loopback, until its first line is known not to be a request of HTTP. Any page that the user of
 * this machine visits can make the browser send one here, with commands in its path or body, and a protocol of lines would obey them.
 */
export class HttpRefusal implements ReceiveBuffer {
  readonly #inner: StreamBuffer;
  readonly #clock: Clock;
  readonly #onPassed: (late: boolean) => void;
  #silenceTimer: ClockTimer | undefined;
  #held: Buffer[] = [];
  #isRequest: boolean | undefined;
  /** Bounded here: the limits on what waits must not stop the first line from coming. */
  readonly weight = 0;
  readonly size = 0;
  readonly from = undefined;
  readonly isSearching = false;
  readonly hasPassedOver = false;

  /** @param passed hears that it is not, once: from then on the inner one is asked directly. `late`: nothing has arrived just now. */
  constructor(inner: StreamBuffer, clock: Clock, passed: (late: boolean) => void) {
    this.#inner = inner;
    this.#clock = clock;
    this.#onPassed = passed;
  }

  get hasBegun(): boolean {
    return this.#held.length > 0;
  }

  push(chunk: Buffer): void {
    this.#held.push(chunk);
    if (this.#held.length > 1) this.#held = [Buffer.concat(this.#held)];
    this.#isRequest = isHttpRequest(this.#held[0]!);
    this.#silenceTimer?.cancel();
    if (this.#isRequest === false) this.onPeerEnd();
    else if (this.#isRequest === undefined) this.#silenceTimer = deadline(this.#clock, SILENCE, () => this.#pass(true));
  }

  /** @throws FramingError for a request. */
  next(): unknown {
    if (this.#isRequest) throw new FramingError('a request of HTTP came on the loopback where none is spoken: write allowHttp if it may');
    return undefined;
  }

  /** The first line is none, or never comes: what came is handled. */
  onPeerEnd(): void {
    if (!this.#isRequest) this.#pass(false);
  }

  end(): unknown {
    return undefined;
  }

  /** The connection is piped or handed off: its bytes are another party's, which reads them as what they are. */
  take(): Buffer {
    this.#isRequest = false;
    this.onPeerEnd();
    return this.#inner.take();
  }

  setFraming(framing: Framing<unknown, unknown>, limit: number): void {
    this.#inner.setFraming(framing, limit);
  }

  drop(): void {
    this.#silenceTimer?.cancel();
    this.#held = [];
  }

  #pass(late: boolean): void {
    for (const chunk of this.#held) this.#inner.push(chunk);
    this.drop();
    this.#onPassed(late);
  }
}
