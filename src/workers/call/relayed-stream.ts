import { ProtocolError } from '../../errors.js';
import { INITIAL_CREDIT } from '../../wire/link/protocol.js';

const GRANT = INITIAL_CREDIT.sends / 2;
const DONE: IteratorResult<unknown, undefined> = { done: true, value: undefined };

/** A stream that arrives from a process, as an async iterable for whoever it is passed on to; on credit. */
export class Inflow implements AsyncIterableIterator<unknown, undefined> {
  readonly #grant: (amount: number) => void;
  readonly #items: unknown[] = [];
  readonly #waiting: ((result: IteratorResult<unknown, undefined>) => void)[] = [];
  #credit: number = INITIAL_CREDIT.sends;
  #taken = 0;
  #over = false;

  constructor(grant: (amount: number) => void) {
    this.#grant = grant;
  }

  push(item: unknown): void {
    if (--this.#credit < 0) throw new ProtocolError('an item of a caller without credit');
    if (this.#over) return;
    const waiting = this.#waiting.shift();
    if (!waiting) return void this.#items.push(item);
    waiting({ done: false, value: item });
    this.#took();
  }

  end(): void {
    this.#over = true;
    for (const resolve of this.#waiting.splice(0)) resolve(DONE);
  }

  /** Nobody reads it any more. */
  close(): void {
    this.#items.length = 0;
    this.end();
  }

  next(): Promise<IteratorResult<unknown, undefined>> {
    if (this.#items.length > 0) {
      const value = this.#items.shift();
      this.#took();
      return Promise.resolve({ done: false, value });
    }
    if (this.#over) return Promise.resolve(DONE);
    return new Promise(resolve => this.#waiting.push(resolve));
  }

  return(): Promise<IteratorResult<unknown, undefined>> {
    this.close();
    return Promise.resolve(DONE);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #took(): void {
    if (++this.#taken < GRANT || this.#over) return;
    this.#credit += this.#taken;
    this.#grant(this.#taken);
    this.#taken = 0;
  }
}
