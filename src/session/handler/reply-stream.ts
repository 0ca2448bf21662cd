import type { Clock, ClockTimer } from '../../clock.js';
import { deadline } from '../../deadline.js';
import type { Remote } from '../../endpoints/endpoint.js';
import type { AnswerBudget } from '../inbound/answer-budget.js';
import type { Framing } from '../../framing/framing.js';
import { setImmediate } from '../../system-timers.js';
import { itemSourceOf, type ReplySource } from './item-source.js';

export function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value && typeof value[Symbol.asyncIterator] === 'function';
}

/** Where the items go. */
export interface StreamHost {
  reply(value: unknown, framing: Framing<unknown, unknown>, to: Remote | undefined, within?: AnswerBudget): void;
  waitForRoom(): Promise<void> | undefined;
  readonly state: { readonly isOver: boolean };
  /** Whether its clocks stand still may have changed. */
  reviewClocks?(): void;
}

/** Items sent without a pause before others get their turn. */
const SHARE = 64;

/** A reply of many messages: the next item is asked for when the peer has room for it. */
export class ReplyStream {
  readonly #source: ReplySource;
  readonly #host: StreamHost;
  readonly #framing: Framing<unknown, unknown>;
  readonly #to: Remote | undefined;
  readonly #within: AnswerBudget | undefined;
  #released: Promise<unknown> | undefined;
  /** Settles `run()`. */
  #finish: () => void = () => {};
  /** An item has been sent. */
  hasBegun = false;
  /** The stream waits for an item, and no handler is at work on that. */
  isIdle = false;
  #endWhenIdle: { readonly clock: Clock; readonly limit: number } | undefined;
  #idleTimer: ClockTimer | undefined;

  constructor(
    items: AsyncIterable<unknown>,
    host: StreamHost,
    framing: Framing<unknown, unknown>,
    to: Remote | undefined,
    within?: AnswerBudget,
  ) {
    this.#source = itemSourceOf(items);
    this.#host = host;
    this.#framing = framing;
    this.#to = to;
    this.#within = within;
  }

  /**
   * Resolves when all items are sent, or in the turn after `stop()`: a generator that waits for something cannot be interrupted, and
   * the connection does not stay for it. Rejects with an error of the source, or an EncodeError.
   */
  run(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#finish = resolve;
      this.#send().then(resolve, reject);
    });
  }

  /** Releases the source, for the connection is over: nothing that it says from now on counts. */
  stop(): void {
    this.#idleTimer?.cancel();
    void this.#releaseSource().then(this.#finish);
  }

  /** Ends it from now on when no item has come for `limit` ms, unless a handler is at work on one. */
  endWhenIdle(clock: Clock, limit: number): void {
    this.#endWhenIdle = { clock, limit };
    if (this.isIdle) this.#startIdle();
  }

  async #whileIdle(item: Promise<IteratorResult<unknown, unknown>>): Promise<IteratorResult<unknown, unknown>> {
    this.isIdle = true;
    this.#startIdle();
    this.#host.reviewClocks?.();
    try {
      return await item;
    } finally {
      this.isIdle = false;
      this.#idleTimer?.cancel();
      this.#host.reviewClocks?.();
    }
  }

  #startIdle(): void {
    const end = this.#endWhenIdle;
    if (end) this.#idleTimer = deadline(end.clock, end.limit, () => this.stop(), true);
  }

  async #send(): Promise<void> {
    const host = this.#host;
    for (let sent = 1; !host.state.isOver; sent++) {
      let item: IteratorResult<unknown, unknown>;
      try {
        item = await (this.#source.isPassive ? this.#whileIdle(this.#source.next()) : this.#source.next());
      } catch (error) {
        // A source that was released may fail for that.
        if (this.#released) return;
        throw error;
      }
      if (item.done) return;
      if (host.state.isOver) break;
      try {
        if (item.value !== undefined) {
          host.reply(item.value, this.#framing, this.#to, this.#within);
          this.hasBegun = true;
        }
      } catch (error) {
        await this.#releaseSource();
        throw error;
      }
      if (this.#within?.isSpent) break;
      await host.waitForRoom();
      if (sent % SHARE === 0) await new Promise(resolve => setImmediate(resolve));
    }
    await this.#releaseSource();
  }

  /** Releases the source. Resolves when it has let go, at the latest a turn later. */
  #releaseSource(): Promise<unknown> {
    this.#released ??= this.#source.release().catch(() => {});
    return Promise.race([this.#released, new Promise(resolve => setImmediate(resolve))]);
  }
}
