import { BoundaryError } from '../../errors.js';
import type { Validator } from '../../schema.js';
import { INITIAL_ROOM, ReceiveWindow, type Room } from '../../wire/link/credit.js';

interface Item {
  readonly value: unknown;
  readonly bytes: number;
}

const always = (): boolean => true;

interface Taker {
  resolve(result: IteratorResult<unknown, undefined>): void;
  reject(reason: unknown): void;
}

export interface IncomingOptions {
  readonly worker: string;
  readonly task: string;
  readonly validate: Validator | undefined;
  /** Tells the sender that there is room for more. */
  credit(room: Room): void;
  /** The reader has left its loop before the end. */
  onReturn?(): void;
}

/** A stream that arrives over the link: parsed item by item when it is taken. One reader, once. */
export class IncomingStream implements AsyncIterableIterator<unknown, undefined> {
  readonly #options: IncomingOptions;
  readonly #items: Item[] = [];
  readonly #takers: Taker[] = [];
  readonly #window = new ReceiveWindow(INITIAL_ROOM.items);
  #over = false;
  #failure: { readonly reason: unknown } | undefined;

  constructor(options: IncomingOptions) {
    this.#options = options;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<unknown, undefined>> {
    return new Promise((resolve, reject) => {
      if (this.#items.length > 0) this.#give({ resolve, reject }, this.#items.shift()!);
      else if (this.#failure) {
        const { reason } = this.#failure;
        this.#failure = undefined; // Told once; after that it is simply over.
        reject(reason);
      } else if (this.#over) resolve({ done: true, value: undefined });
      else {
        this.#window.starved();
        this.#takers.push({ resolve, reject });
      }
    });
  }

  /** The reader has left its loop: no more credit, so the sender stands still. */
  return(): Promise<IteratorResult<unknown, undefined>> {
    const early = !this.#over;
    this.close();
    if (early) this.#options.onReturn?.();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** @param bytes that it came in */
  push(value: unknown, bytes: number): void {
    if (this.#over) return;
    const item = { value, bytes };
    this.#window.received(bytes);
    const taker = this.#takers.shift();
    if (taker) this.#give(taker, item);
    else this.#items.push(item);
  }

  /** Everything has been sent. */
  end(): void {
    this.#over = true;
    for (const taker of this.#takers.splice(0)) taker.resolve({ done: true, value: undefined });
  }

  fail(reason: unknown): void {
    if (this.#over && this.#items.length === 0) return;
    this.#over = true;
    this.#items.length = 0;
    const [first, ...others] = this.#takers.splice(0);
    if (first) first.reject(reason);
    else this.#failure = { reason };
    for (const taker of others) taker.resolve({ done: true, value: undefined });
  }

  close(): void {
    this.#items.length = 0;
    this.#failure = undefined;
    this.end();
  }

  #give(taker: Taker, { value, bytes }: Item): void {
    const { worker, task, validate, credit } = this.#options;
    const verdict = validate?.(value) ?? { value };
    if (verdict.issues) {
      const error = new BoundaryError({ worker, task, direction: 'input', ...verdict });
      this.close();
      return taker.reject(error);
    }
    const room = this.#over ? undefined : this.#window.consumed(bytes, always);
    if (room) credit(room);
    taker.resolve({ done: false, value: verdict.value });
  }
}

/** The input stream of a task that receives, called without one. */
export async function* nothingIncoming(): AsyncGenerator<never, undefined> {
  // Ends at once.
}
