import type { Remote } from '../endpoints/endpoint.js';
import type { Framing } from '../framing/framing.js';

export function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value && typeof value[Symbol.asyncIterator] === 'function';
}

/** Where the items go. */
export interface StreamHost {
  reply(value: unknown, framing: Framing<unknown, unknown>, to: Remote | undefined): void;
  room(): Promise<void> | undefined;
  readonly ending: { readonly over: boolean };
}

/** Items sent without a pause before others get their turn. */
const SHARE = 64;

/** A reply of many messages: the next item is asked for when the peer has room for it. */
export class ReplyStream {
  readonly #iterator: AsyncIterator<unknown>;
  readonly #host: StreamHost;
  readonly #framing: Framing<unknown, unknown>;
  readonly #to: Remote | undefined;
  #stopped: Promise<unknown> | undefined;

  constructor(items: AsyncIterable<unknown>, host: StreamHost, framing: Framing<unknown, unknown>, to: Remote | undefined) {
    this.#iterator = items[Symbol.asyncIterator]();
    this.#host = host;
    this.#framing = framing;
    this.#to = to;
  }

  /** Resolves when all items are sent, or the connection is over and the iterator has been told. Rejects with its error, or an EncodeError. */
  async run(): Promise<void> {
    const host = this.#host;
    for (let sent = 1; !host.ending.over; sent++) {
      const { done, value } = await this.#iterator.next();
      if (done) return;
      if (host.ending.over) break;
      try {
        if (value !== undefined) host.reply(value, this.#framing, this.#to);
      } catch (error) {
        await this.#return();
        throw error;
      }
      await host.room();
      if (sent % SHARE === 0) await new Promise(resolve => setImmediate(resolve));
    }
    await this.#return();
  }

  /** The connection is over. An iterator that waits is told at once; what it says to that does not count any more. */
  stop(): void {
    this.#return().catch(() => {});
  }

  #return(): Promise<unknown> {
    return (this.#stopped ??= (async () => this.#iterator.return?.())());
  }
}
