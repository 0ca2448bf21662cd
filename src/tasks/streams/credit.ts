import { LimitError } from '../../errors.js';
import type { Encoded } from '../../wire/link/types.js';
import { SendCredit, type Room } from '../../wire/link/credit.js';

const SENT: Promise<void> = Promise.resolve();

/** Bytes that a waiting message takes besides its own. */
const OVERHEAD = 128;

/** A promise that rejects: an error for code that awaits it, and no unhandled rejection otherwise. */
export function rejectedQuietly(reason: Error): Promise<never> {
  const rejected = Promise.reject(reason);
  rejected.catch(() => {});
  return rejected;
}

export interface CreditGateOptions {
  readonly send: (encoded: Encoded) => void;
  /** Looks whether credit has arrived: code that does not await keeps the event loop from hearing of it. */
  readonly lookForCredit?: (() => void) | undefined;
  /** Bytes that may wait here; Infinity: any number. */
  readonly maxWaiting?: number | undefined;
  /** How the error of a full gate begins: `'events of render.draw'`. */
  readonly what?: string | undefined;
}

/**
 * Sends messages as far as the receiver has room and keeps the rest in order. The promise of `push` is the back-pressure: it resolves when
 * there is room for one more message, so a sender that awaits it never has more than one waiting here.
 */
export class CreditGate {
  readonly #options: CreditGateOptions;
  readonly #credit: SendCredit;
  /** Messages from `#first` on wait: `shift()` would move them all each time. */
  #waiting: (Encoded | undefined)[] = [];
  #first = 0;
  #waitingBytes = 0;
  #room: { readonly promise: Promise<void>; resolve(): void; reject(reason: Error): void } | undefined;
  #whenSent: (() => void) | undefined;
  #closed: (() => Error) | undefined;

  constructor(credit: Room, options: CreditGateOptions) {
    this.#credit = new SendCredit(credit);
    this.#options = options;
  }

  /** Messages that wait for credit. */
  get waiting(): number {
    return this.#waiting.length - this.#first;
  }

  /** Takes a message. Throws LimitError where too many bytes wait already. The promise rejects where the message is never sent. */
  push(encoded: Encoded): Promise<void> {
    // The sender has not awaited room: it may be holding the event loop, and credit, or the end, may have come.
    if (this.#room) this.#options.lookForCredit?.();
    if (this.#closed) return rejectedQuietly(this.#closed());
    if (this.#credit.open) {
      this.#credit.spend(encoded.length);
      this.#options.send(encoded);
    } else this.#keep(encoded);
    return this.#credit.open ? SENT : this.#awaitRoom();
  }

  give(credit: Room): void {
    this.#credit.give(credit);
    while (this.#credit.open && this.waiting > 0) {
      const next = this.#waiting[this.#first]!;
      this.#waiting[this.#first++] = undefined;
      this.#waitingBytes -= next.length + OVERHEAD;
      this.#credit.spend(next.length);
      this.#options.send(next);
    }
    if (this.waiting > 0) return;
    this.#forget();
    if (this.#credit.open) this.#open();
    this.#tellSent();
  }

  /** Runs once when everything that was taken has been sent, or will never be: now, where nothing waits. */
  whenSent(run: () => void): void {
    this.#whenSent = run;
    if (this.waiting === 0) this.#tellSent();
  }

  /** Drops what waits. Promises of messages that were not sent reject with `reason()`, those of later ones, too. */
  close(reason: () => Error): void {
    if (this.#closed) return;
    this.#closed = reason;
    if (this.waiting > 0) this.#room?.reject(reason());
    else this.#room?.resolve();
    this.#room = undefined;
    this.#forget();
    this.#tellSent();
  }

  #keep(encoded: Encoded): void {
    const { maxWaiting = Infinity, what = 'messages' } = this.#options;
    if (this.#waitingBytes + encoded.length > maxWaiting)
      throw new LimitError(
        'maxMessageSize',
        `${this.waiting} ${what} wait for the receiver, ${this.#waitingBytes} bytes: more than four times maxMessageSize. Await their promises`,
      );
    this.#waiting.push(encoded);
    this.#waitingBytes += encoded.length + OVERHEAD;
  }

  #awaitRoom(): Promise<void> {
    if (!this.#room) {
      let resolve!: () => void;
      let reject!: (reason: Error) => void;
      const promise = new Promise<void>((...settle) => ([resolve, reject] = settle));
      promise.catch(() => {}); // An error for code that awaits it; no unhandled rejection otherwise.
      this.#room = { promise, resolve, reject };
    }
    return this.#room.promise;
  }

  #forget(): void {
    this.#waiting = [];
    this.#first = this.#waitingBytes = 0;
  }

  #open(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }

  #tellSent(): void {
    const run = this.#whenSent;
    this.#whenSent = undefined;
    run?.();
  }
}
