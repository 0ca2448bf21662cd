import { getHeapStatistics } from 'node:v8';
import { asError, ProtocolError } from '../../errors.js';
import { decodeReceived } from '../../wire/codec/codec.js';
import { CreditKind, INITIAL_ROOM, ReceiveWindow, sendCredit, type Room } from '../../wire/link/credit.js';
import type { Body, Encoded, Link } from '../../wire/link/types.js';

/** Bytes of values of one process that handlers may be dealing with at once: decoded, a byte takes up to forty. */
const AT_ONCE = Math.floor(getHeapStatistics().heap_size_limit / 256);
/** Values of fewer bytes always go to their handlers: their number is bounded by the window. */
const SMALL = 1024;

/** How much of one process handlers are dealing with, over several deliveries. */
export class DealingLimit {
  readonly #most: number;
  #bytes = 0;
  /** Those that wait, in turn. Each says whether it could begin with one. */
  readonly #waiting = new Set<() => boolean>();

  constructor(most = AT_ONCE) {
    this.#most = most;
  }

  /** Begins with a value of so many bytes, or does not: `again` runs when there is room. One larger than the limit is dealt with alone. */
  begin(bytes: number, again: () => boolean): boolean {
    if (bytes >= SMALL && this.#bytes > 0 && this.#bytes + bytes > this.#most) {
      this.#waiting.add(again);
      return false;
    }
    this.#bytes += bytes;
    return true;
  }

  /** A value of so many bytes was dealt with. */
  end(bytes: number): void {
    this.#bytes -= bytes;
    if (this.#waiting.size === 0) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    // Those that could begin wait behind the others.
    const began = waiting.filter(again => again());
    for (const again of began) if (this.#waiting.delete(again)) this.#waiting.add(again);
  }

  forget(again: () => boolean): void {
    this.#waiting.delete(again);
  }
}

export interface DeliveryOptions {
  readonly room: Room;
  readonly limit: DealingLimit;
  /** Gives a value to its handlers; a promise resolves when they have dealt with it, and never rejects. Throws ProtocolError for what is none. */
  handle(value: unknown): Promise<unknown> | undefined;
  /** The sender may send so much more. */
  grant(room: Room): void;
  /** A value that waited is none that an honest process sends. */
  reportOffence(error: Error): void;
}

/** Takes values that a process sends on credit. */
export interface Receiver {
  /** A value has come. Throws ProtocolError where it had no credit, or is none. */
  receive(body: Body, from: string): void;
  /** Hands over whatever waits, now: nothing comes any more. Throws ProtocolError for what is none. */
  flush(): void;
  /** Drops the values that wait. */
  close(): void;
}

/**
 * Values that a process sends on credit and that handlers take one by one: events of a call, unasked messages. Those that would be too much
 * for memory while others are being dealt with wait as bytes.
 */
export class Delivery implements Receiver {
  readonly #options: DeliveryOptions;
  readonly #window: ReceiveWindow;
  #waiting: Encoded[] = [];
  #over = false;
  readonly #again = (): boolean => this.#goOn();

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#window = new ReceiveWindow(options.room);
  }

  receive(body: Body, from: string): void {
    const { limit } = this.#options;
    if (!this.#window.received(body.length)) throw new ProtocolError(`${from} without credit`);
    if (this.#over) return;
    if (this.#waiting.length === 0 && limit.begin(body.length, this.#again)) this.#deliver(body.value(), body.length);
    else this.#waiting.push(body.take());
  }

  flush(): void {
    this.#options.limit.forget(this.#again);
    for (const bytes of this.#waiting.splice(0)) void this.#options.handle(decodeReceived(bytes));
  }

  close(): void {
    this.#over = true;
    this.#waiting = [];
    this.#options.limit.forget(this.#again);
  }

  #deliver(value: unknown, bytes: number): void {
    let dealing: Promise<unknown> | undefined;
    try {
      dealing = this.#options.handle(value);
    } finally {
      if (!dealing) this.#dealt(bytes);
    }
    void dealing?.then(() => this.#dealt(bytes));
  }

  #dealt(bytes: number): void {
    this.#options.limit.end(bytes);
    const room = this.#window.consumed(bytes);
    if (room && !this.#over) this.#options.grant(room);
  }

  /** Whether it began with one. */
  #goOn(): boolean {
    let began = false;
    try {
      while (this.#waiting.length > 0 && this.#options.limit.begin(this.#waiting[0]!.length, this.#again)) {
        began = true;
        const bytes = this.#waiting.shift()!;
        this.#deliver(decodeReceived(bytes), bytes.length);
      }
    } catch (error) {
      this.close();
      this.#options.reportOffence(asError(error));
    }
    return began;
  }
}

/** The unasked messages of the process at the other end of a link. */
export function messageDelivery(link: Link, handle: DeliveryOptions['handle']): Delivery {
  return new Delivery({
    room: INITIAL_ROOM.messages,
    limit: new DealingLimit(),
    handle,
    grant: room => sendCredit(link, 0, CreditKind.messages, room),
    reportOffence: error => link.destroy(error),
  });
}
