import { asError, LimitError, ProtocolError } from '../../errors.js';
import type { Body } from '../../wire/link/types.js';
import { INITIAL_ROOM, ReceiveWindow, type Room } from '../../wire/link/credit.js';
import { KeptItems } from '../received/kept-items.js';
import type { UnreadBytes } from '../received/unread.js';

type Result = IteratorResult<unknown, undefined>;
const DONE: Result = { done: true, value: undefined };

/** What an {@link RelayedStream} tells the process that sends. */
export interface InflowPort {
  /** It may send so much more. */
  grant(room: Room): void;
  /** It sent what no honest process sends. */
  offence(error: Error): void;
}

/** A stream that arrives from a process, as an async iterable for whoever it is passed on to; on credit. */
export class RelayedStream implements AsyncIterableIterator<unknown, undefined> {
  readonly #port: InflowPort;
  readonly #items: KeptItems;
  readonly #waiting: ((result: Result) => void)[] = [];
  readonly #window = new ReceiveWindow(INITIAL_ROOM.sends);
  #over = false;
  #failure: Error | undefined;

  constructor(unread: UnreadBytes, port: InflowPort) {
    this.#port = port;
    this.#items = new KeptItems(unread, () => this.#overflow());
  }

  /** Throws ProtocolError for an item without credit, and for what is none. */
  push(body: Body): void {
    if (!this.#window.received(body.length)) throw new ProtocolError('an item of a caller without credit');
    if (this.#over) return;
    const waiting = this.#waiting.shift();
    if (!waiting) return this.#items.push(body);
    waiting({ done: false, value: body.value() });
    this.#took(body.length);
  }

  end(): void {
    this.#over = true;
    for (const resolve of this.#waiting.splice(0)) resolve(DONE);
  }

  /** Nobody reads it any more. */
  close(): void {
    this.#items.clear();
    this.end();
  }

  next(): Promise<Result> {
    if (this.#items.size > 0) return this.#first();
    if (this.#failure) {
      const error = this.#failure;
      this.#failure = undefined;
      return Promise.reject(error);
    }
    if (this.#over) return Promise.resolve(DONE);
    this.#window.starved();
    return new Promise(resolve => this.#waiting.push(resolve));
  }

  return(): Promise<Result> {
    this.close();
    return Promise.resolve(DONE);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #first(): Promise<Result> {
    try {
      const { value, bytes } = this.#items.shift();
      this.#took(bytes);
      return Promise.resolve({ done: false, value });
    } catch (error) {
      this.close();
      this.#port.offence(asError(error));
      return Promise.reject(error);
    }
  }

  #overflow(): void {
    this.#failure = new LimitError(
      'maxMessageSize',
      'too many bytes of streams wait unread: take items as they come, or send smaller ones',
    );
    this.end();
  }

  #took(bytes: number): void {
    if (this.#over) return;
    const room = this.#window.consumed(bytes);
    if (room) this.#port.grant(room);
  }
}
