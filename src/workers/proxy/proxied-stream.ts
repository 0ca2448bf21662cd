import { asError } from '../../errors.js';
import { Call } from '../call/call.js';
import { quietly, rejectJoined } from '../call/joined-stack.js';
import type { CallItemSource } from '../call/stream-call.js';

type Result = IteratorResult<unknown, undefined>;
const DONE: Result = { done: true, value: undefined };

/** A streaming task that a proxy answers: its items go to the asker one by one, as they are asked for, each checked. */
export class ProxiedStream extends Call implements CallItemSource {
  #items: AsyncIterator<unknown> | undefined;
  #place: string | undefined;
  #error: Promise<never> | undefined;
  #last: Promise<Result> = Promise.resolve(DONE);
  /** The asker's open question: when the call fails it is not kept waiting for the proxy. */
  #waiting: ((result: Result | Promise<never>) => void) | undefined;

  override get isStream(): boolean {
    return true;
  }

  /** Relays the value that the proxy's method returned. */
  from(result: unknown, place: string): void {
    this.#place = place;
    const iterable = result as Partial<AsyncIterable<unknown>> | null | undefined;
    if (typeof iterable?.[Symbol.asyncIterator] === 'function') this.#items = iterable[Symbol.asyncIterator]!();
    else this.fail(new TypeError(`${this.target.name} of the proxy must return an async iterable`), place);
    if (this.isSettled) this.#leaveItems();
  }

  /** One after the other, however many the asker asks for at once. */
  pull(): Promise<Result> {
    return (this.#last = this.#last.then(
      () => this.#pull(),
      () => this.#pull(),
    ));
  }

  async #pull(): Promise<Result> {
    const error = this.#error;
    this.#error = undefined;
    if (error) return error;
    if (this.isSettled || !this.#items) return DONE;
    return new Promise<Result>(resolve => {
      this.#waiting = resolve;
      void this.#step(this.#items!);
    });
  }

  leave(): void {
    const { holder } = this;
    if (this.succeed(undefined)) holder?.cancel(this, true);
  }

  protected onSuccess(): void {
    this.#close(DONE);
  }

  protected onFailure(error: Error, place: string | undefined): void {
    const rejected = rejectJoined(error, place);
    quietly(rejected);
    if (!this.#waiting) this.#error = rejected;
    this.#close(rejected);
  }

  async #step(items: AsyncIterator<unknown>): Promise<void> {
    try {
      const { done, value } = await items.next();
      if (this.isSettled) return;
      if (done) return void this.succeed(undefined);
      const verdict = this.target.check ? this.target.check(value) : { value };
      if (verdict.issues) this.fail(this.boundary(verdict));
      else this.#give({ done: false, value: verdict.value });
    } catch (error) {
      this.fail(asError(error), this.#place);
    }
  }

  #close(last: Result | Promise<never>): void {
    this.#give(last);
    this.#leaveItems();
  }

  /** Ends the proxy's generator. It may be no generator at all: its errors have no receiver. */
  #leaveItems(): void {
    const items = this.#items;
    this.#items = undefined;
    void (async () => items?.return?.())().catch(() => {});
  }

  #give(result: Result | Promise<never>): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.(result);
  }
}
