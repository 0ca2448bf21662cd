import type { Encoded } from '../wire/types.js';

/** CREDIT's upper bits: what the credit is for. */
export const Lane = { items: 0, sends: 1, events: 2, messages: 3 } as const;

export function creditFor(lane: number, count: number): number {
  return (lane << 24) | count;
}

const OPEN: Promise<void> = Promise.resolve();

/**
 * Sends what the receiver has room for and keeps the rest in order. The promise is the back-pressure: it resolves when there is room
 * for one more, and whoever awaits it never has more than one message waiting here.
 */
export class CreditGate {
  readonly #send: (encoded: Encoded) => void;
  #credit: number;
  #waiting: Encoded[] = [];
  #room: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;
  #closed = false;

  constructor(credit: number, send: (encoded: Encoded) => void) {
    this.#credit = credit;
    this.#send = send;
  }

  push(encoded: Encoded): Promise<void> {
    if (this.#closed) return OPEN;
    if (this.#credit > 0) {
      this.#credit--;
      this.#send(encoded);
    } else this.#waiting.push(encoded);
    if (this.#credit > 0) return OPEN;
    if (!this.#room) {
      let resolve!: () => void;
      const promise = new Promise<void>(done => (resolve = done));
      this.#room = { promise, resolve };
    }
    return this.#room.promise;
  }

  give(credit: number): void {
    this.#credit += credit;
    while (this.#credit > 0) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      this.#credit--;
      this.#send(next);
    }
    if (this.#credit > 0) this.#open();
  }

  /** Nobody will take anything any more: what waits is dropped, whoever waits goes on. */
  close(): void {
    this.#closed = true;
    this.#waiting = [];
    this.#open();
  }

  #open(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }
}
