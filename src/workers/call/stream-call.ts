import { AbortError, asError, ProtocolError, StreamStalledError } from '../../errors.js';
import { TooManyPartsError } from '../../wire/codec/dear-values.js';
import type { Body } from '../../wire/link/types.js';
import { Call, type CallHolder, type Due } from './call.js';
import { quietly, rejectJoined } from './joined-stack.js';
import { callNameOf, unreadableOutput, type Target } from './call-target.js';

import { INITIAL_ROOM, ReceiveWindow } from '../../wire/link/credit.js';
import { KeptItems } from '../received/kept-items.js';
import type { UnreadBytes } from '../received/unread.js';

type Resolve = (result: IteratorResult<unknown, undefined> | Promise<never>) => void;
const DONE: IteratorResult<unknown, undefined> = { done: true, value: undefined };

/**
 * A call answered item by item. At most as many items and bytes wait here as credit was given; the task waits when the caller does not take
 * them. Items that wait are decoded and checked when they are taken. While it is without credit its time limits stand still and
 * `stallTimeout` runs.
 */
export class StreamCall extends Call implements CallItemSource {
  #items: KeptItems | undefined;
  readonly #waiting: Resolve[] = [];
  #window = new ReceiveWindow(INITIAL_ROOM.items);
  /** Where its items come from; stays when the process has ended the stream. */
  #source: CallHolder | undefined;
  /** Since when it is without credit; -1: it has some. */
  #outOfCredit = -1;
  #over = false;
  #error: Promise<never> | undefined;
  readonly #mayGrow = (bytes: number): boolean => this.holder?.growWindow?.(this, bytes) ?? false;

  override get isStream(): boolean {
    return true;
  }

  /** After the first item it is never run again. */
  override get isRepeatable(): boolean {
    return !this.hasEvidence && super.isRepeatable;
  }

  override takeBack(): void {
    super.takeBack();
    this.#window = new ReceiveWindow(INITIAL_ROOM.items);
    this.#outOfCredit = -1;
  }

  override onItem(body: Body, now: number, unread: UnreadBytes): void {
    if (!this.#window.received(body.length)) throw new ProtocolError(`${this.target.name} sent an item without credit`);
    if (this.isSettled) return;
    this.hasEvidence = true;
    if (this.tracing) this.tracing.trace.bytes.received += body.length;
    this.began = now;
    this.#source = this.holder;
    if (this.#waiting.length > 0) this.#give(body);
    else (this.#items ??= new KeptItems(unread, bytes => this.#overflow(bytes))).push(body);
    if (this.#window.exhausted) this.#outOfCredit = now;
  }

  override onEnd(): void {
    this.succeed(undefined);
  }

  override dueAt(): number {
    if (this.#outOfCredit < 0 || this.isSettled) return super.dueAt();
    return this.began < 0 || this.#stallTimeout === 0 ? Infinity : this.#outOfCredit + this.#stallTimeout;
  }

  override overdue(now: number): Due | undefined {
    if (this.#outOfCredit < 0 || this.isSettled) return super.overdue(now);
    return now >= this.dueAt() ? 'stall' : undefined;
  }

  pull(): Promise<IteratorResult<unknown, undefined>> {
    if (this.#items !== undefined && this.#items.size > 0) return this.#first(this.#items);
    const error = this.#error;
    this.#error = undefined;
    if (error) return error;
    if (this.#over) return Promise.resolve(DONE);
    this.#window.starved();
    return new Promise(resolve => this.#waiting.push(resolve));
  }

  /** The caller leaves the loop: the generator returns. */
  leave(): void {
    this.#items?.clear();
    this.#error = undefined;
    const { holder } = this;
    if (this.succeed(undefined)) holder?.cancel(this, true);
  }

  protected onSuccess(): void {
    this.#finish();
  }

  protected onFailure(error: Error, place: string | undefined): void {
    if (error instanceof AbortError) this.#items?.clear();
    const rejected = rejectJoined(error, place);
    const first = this.#waiting.shift();
    if (first) first(rejected);
    else {
      // The error is thrown when the caller asks for the next item; until then it is no unhandled rejection.
      quietly(rejected);
      this.#error = rejected;
    }
    this.#finish();
  }

  /** To a caller that waits for it. */
  #give(body: Body): void {
    const { check } = this.target;
    let value: unknown;
    try {
      value = body.value();
    } catch (error) {
      return this.abortWith(unreadableOutput(this.target, error));
    }
    const verdict = check ? check(value) : { value };
    if (verdict.issues) return this.abortWith(this.boundary(verdict));
    this.#waiting.shift()!({ done: false, value: verdict.value });
    this.#took(body.length);
  }

  #first(items: KeptItems): Promise<IteratorResult<unknown, undefined>> {
    const { check } = this.target;
    try {
      const { value, bytes } = items.shift();
      const verdict = check ? check(value) : { value };
      if (verdict.issues) return this.#spoiled(items, this.boundary(verdict));
      this.#took(bytes);
      return Promise.resolve({ done: false, value: verdict.value });
    } catch (error) {
      if (error instanceof TooManyPartsError) return this.#spoiled(items, unreadableOutput(this.target, error));
      // The offence ends the process, and with it this call; a call that ended before fails by itself.
      this.#source?.reportOffence?.(asError(error));
      if (this.isSettled) return this.#spoiled(items, asError(error));
      items.clear();
      return this.pull();
    }
  }

  /** An item that waited is none: the stream ends with that. */
  #spoiled(items: KeptItems, error: Error): Promise<IteratorResult<unknown, undefined>> {
    items.clear();
    if (this.isSettled) this.#error = rejectJoined(error, undefined);
    else this.abortWith(error);
    return this.pull();
  }

  /** All streams together have too much unread, and this one most: it was let go of. */
  #overflow(unread: number): void {
    const error = new StreamStalledError(callNameOf(this.target, this.key), 0, unread);
    if (!this.isSettled) return this.abortWith(error);
    this.#error = rejectJoined(error, undefined);
    quietly(this.#error);
  }

  #finish(): void {
    this.#over = true;
    for (const resolve of this.#waiting.splice(0)) resolve(DONE);
  }

  #took(bytes: number): void {
    if (this.isSettled) return;
    const room = this.#window.consumed(bytes, this.#mayGrow);
    if (!room) return;
    if (!this.#window.exhausted) this.#outOfCredit = -1;
    this.holder?.grantCredit(this, 'items', room);
  }

  get #stallTimeout(): number {
    return this.target.worker.settings.stallTimeout;
  }
}

/** Where an {@link CallItems} gets its items. */
export interface CallItemSource {
  pull(): Promise<IteratorResult<unknown, undefined>>;
  /** The caller wants no more. */
  leave(): void;
}

/** Result of a call that was never made: a promise, or a stream, that fails. */
export function failedCall({ task }: Target, error: Error): Promise<never> | CallItems {
  const rejected = Promise.reject(error);
  if (!task?.yields) return rejected;
  quietly(rejected); // The error is thrown when the caller asks for the first item.
  let next: Promise<IteratorResult<unknown, undefined>> = rejected;
  const pull = (): typeof next => {
    const now = next;
    next = Promise.resolve(DONE);
    return now;
  };
  return new CallItems({ pull, leave: () => {} });
}

/** Result of a call of a streaming task. The call is made at once; items wait until they are asked for. */
export class CallItems implements AsyncIterableIterator<unknown, undefined> {
  readonly #source: CallItemSource;

  constructor(source: CallItemSource) {
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
