import { asError, LimitError, ProtocolError } from '../../errors.js';
import type { Body } from '../../wire/link/types.js';
import { INITIAL_ROOM, ReceiveWindow, type Room } from '../../wire/link/credit.js';
import { KeptItems } from '../received/kept-items.js';
import type { UnreadBytes } from '../received/unread.js';

type Result = IteratorResult<unknown, undefined>;
const DONE: Result = { done: true, value: undefined };

/** The sending process, as an {@link RelayedStream} sees it. */
export interface RelayedStreamHost {
  /** Allows that much more to be sent. */
  grant(room: Room): void;
  /** Reports that the process broke the protocol. */
  reportOffence(error: Error): void;
}

/** A stream that arrives from a process, as an async iterable; on credit. */
export class RelayedStream implements AsyncIterableIterator<unknown, undefined> {
  readonly #port: RelayedStreamHost;
  readonly #items: KeptItems;
  readonly #waiting: ((result: Result) => void)[] = [];
  readonly #window = new ReceiveWindow(INITIAL_ROOM.sends);
  #over = false;
  #failure: Error | undefined;

  constructor(unread: UnreadBytes, port: RelayedStreamHost) {
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

  /** Ends it: the items left are not read. */
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
      this.#port.reportOffence(asError(error));
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
