import { AbortError, ProtocolError } from '../../errors.js';
import { INITIAL_CREDIT } from '../../wire/link/protocol.js';
import type { Body } from '../../wire/link/types.js';
import { Call, type Due } from './call.js';
import { quietly, rejectJoined } from './joined-stack.js';
import type { Target } from './call-target.js';

/** Credit is given back when so many items were taken. */
const GRANT = INITIAL_CREDIT.items / 2;

type Resolve = (result: IteratorResult<unknown, undefined> | Promise<never>) => void;
const DONE: IteratorResult<unknown, undefined> = { done: true, value: undefined };

/**
 * A call answered item by item. At most as many items wait here as credit was given; the task waits when the caller does not take them.
 * While it is without credit its time limits stand still and `stallTimeout` runs.
 */
export class StreamCall extends Call implements ItemSource {
  readonly #items: unknown[] = [];
  readonly #waiting: Resolve[] = [];
  #granted: number = INITIAL_CREDIT.items;
  #taken = 0;
  /** Since when it is without credit; -1: it has some. */
  #outOfCredit = -1;
  #over = false;
  #error: Promise<never> | undefined;

  override get streams(): boolean {
    return true;
  }

  /** After the first item it is never run again. */
  override get repeatable(): boolean {
    return !this.evidence && super.repeatable;
  }

  override unsent(): void {
    super.unsent();
    this.#granted = INITIAL_CREDIT.items;
    this.#taken = 0;
    this.#outOfCredit = -1;
  }

  override item(body: Body, now: number): void {
    if (--this.#granted < 0) throw new ProtocolError(`${this.target.name} sent an item without credit`);
    if (this.settled) return;
    this.evidence = true;
    const { check } = this.target;
    const verdict = check ? check(body.value()) : { value: body.value() };
    if (verdict.issues) return this.giveUp(this.boundary(verdict));
    this.began = now;
    const waiting = this.#waiting.shift();
    if (waiting) {
      waiting({ done: false, value: verdict.value });
      this.#took();
    } else this.#items.push(verdict.value);
    if (this.#granted === 0) this.#outOfCredit = now;
  }

  override end(): void {
    this.succeed(undefined);
  }

  override dueAt(): number {
    if (this.#outOfCredit < 0 || this.settled) return super.dueAt();
    return this.began < 0 || this.#stallTimeout === 0 ? Infinity : this.#outOfCredit + this.#stallTimeout;
  }

  override due(now: number): Due | undefined {
    if (this.#outOfCredit < 0 || this.settled) return super.due(now);
    return now >= this.dueAt() ? 'stall' : undefined;
  }

  pull(): Promise<IteratorResult<unknown, undefined>> {
    if (this.#items.length > 0) {
      const value = this.#items.shift();
      this.#took();
      return Promise.resolve({ done: false, value });
    }
    const error = this.#error;
    this.#error = undefined;
    if (error) return error;
    if (this.#over) return Promise.resolve(DONE);
    return new Promise(resolve => this.#waiting.push(resolve));
  }

  /** The caller leaves the loop: the generator returns. */
  leave(): void {
    this.#items.length = 0;
    this.#error = undefined;
    const { holder } = this;
    if (this.succeed(undefined)) holder?.withdraw(this, true);
  }

  protected delivered(): void {
    this.#finish();
  }

  protected failed(error: Error, place: string | undefined): void {
    if (error instanceof AbortError) this.#items.length = 0;
    const rejected = rejectJoined(error, place);
    const first = this.#waiting.shift();
    if (first) first(rejected);
    else {
      // It is thrown when the caller asks for the next item; until then it is no unhandled rejection.
      quietly(rejected);
      this.#error = rejected;
    }
    this.#finish();
  }

  #finish(): void {
    this.#over = true;
    for (const resolve of this.#waiting.splice(0)) resolve(DONE);
  }

  #took(): void {
    if (this.settled || ++this.#taken < GRANT) return;
    const amount = this.#taken;
    this.#taken = 0;
    this.#granted += amount;
    this.#outOfCredit = -1;
    this.holder?.credit(this, 'items', amount);
  }

  get #stallTimeout(): number {
    return this.target.worker.settings.stallTimeout;
  }
}

/** Where an {@link ItemStream} gets its items. */
export interface ItemSource {
  pull(): Promise<IteratorResult<unknown, undefined>>;
  /** The caller wants no more. */
  leave(): void;
}

/** What the caller gets of a call that was never made: a promise, or a stream, that fails. */
export function failedCall({ task }: Target, error: Error): Promise<never> | ItemStream {
  const rejected = Promise.reject(error);
  if (!task?.yields) return rejected;
  quietly(rejected); // It is thrown when the caller asks for the first item.
  let next: Promise<IteratorResult<unknown, undefined>> = rejected;
  const pull = (): typeof next => {
    const now = next;
    next = Promise.resolve(DONE);
    return now;
  };
  return new ItemStream({ pull, leave: () => {} });
}

/** What the caller of a streaming task gets. The call is made at once; items wait until they are asked for. */
export class ItemStream implements AsyncIterableIterator<unknown, undefined> {
  readonly #source: ItemSource;

  constructor(source: ItemSource) {
    this.#source = source;
  }

  next(): Promise<IteratorResult<unknown, undefined>> {
    return this.#source.pull();
  }

  return(): Promise<IteratorResult<unknown, undefined>> {
    this.#source.leave();
    return Promise.resolve(DONE);
  }

  throw(error: unknown): Promise<never> {
    this.#source.leave();
    return Promise.reject(error);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.return().then(() => {});
  }
}
