import { currentContext } from '../../async-context.js';
import { asError } from '../../errors.js';
import { isSpent } from '../../wire/codec/attachments.js';
import { encodeValue } from '../../wire/codec/codec.js';
import type { Encoded } from '../../wire/link/types.js';
import type { Sendable } from '../../decorators/worker/client-types.js';
import { INITIAL_ROOM, SendCredit, WIDEST, type Room } from '../../wire/link/credit.js';

/** Where the items go: one call on one link. */
export interface InputStreamHost {
  item(encoded: Encoded): void;
  end(): void;
}

/** Streams the items of one call in, to whichever process has the call. */
export interface CallSender {
  /** False once items have gone that nothing has any more. */
  readonly isRepeatable: boolean;
  /** Something in an item that was sent has been moved away: it cannot be sent again. */
  readonly isSpent?: boolean;
  /** The call was sent; undefined: it is nowhere at present. */
  attach(port: InputStreamHost | undefined): void;
  /** The process takes more. Throws ProtocolError for more than was taken from it. */
  grant(room: Room): void;
  /** The call has settled. */
  stop(): void;
}

/**
 * The caller's stream on its way to the task: items leave as the task grants credit.
 * Until the first grant shows that the task has begun, what was sent is kept, so that it can be sent again to another process.
 */
export class InputStream implements CallSender {
  readonly #iterator: AsyncIterator<unknown> | Iterator<unknown>;
  readonly #limit: number;
  readonly #failed: (error: Error) => void;
  /** Context in which the call was made: the caller's iterable runs in it, not in that of the granted credit. */
  readonly #context = currentContext();
  #port: InputStreamHost | undefined;
  #credit = new SendCredit(INITIAL_ROOM.sends);
  #unconfirmed: Encoded[] | undefined = [];
  readonly #shares: boolean;
  #ended = false;
  #stopped = false;
  #pumping = false;

  /**
   * @param failed the caller's iterable threw, or gave what cannot be copied
   * @param shares memory in items may be moved to the worker and shared with it
   */
  constructor(items: Sendable<unknown>, limit: number, failed: (error: Error) => void, shares = false) {
    this.#shares = shares;
    this.#iterator = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
    this.#limit = limit;
    this.#failed = failed;
  }

  /** False once items were confirmed and dropped: they cannot be sent again. */
  get isRepeatable(): boolean {
    return this.#unconfirmed !== undefined;
  }

  /** Something in an item that was sent has been moved away: it cannot be sent again. */
  get isSpent(): boolean {
    return this.#unconfirmed?.some(isSpent) === true;
  }

  /** The call was sent; undefined: it is nowhere at present. */
  attach(port: InputStreamHost | undefined): void {
    this.#port = port;
    if (!port || this.#stopped) return;
    const again = this.#unconfirmed ?? [];
    this.#credit = new SendCredit(INITIAL_ROOM.sends);
    for (const encoded of again) {
      this.#credit.spend(encoded.length);
      port.item(encoded);
    }
    if (this.#ended) port.end();
    else this.#context.runInAsyncScope(() => void this.#pump());
  }

  /** Throws ProtocolError for more than was taken from it: the caller's iterable is read no further than that, however much is asked for. */
  grant(room: Room): void {
    this.#credit.give(room, WIDEST);
    this.#unconfirmed = undefined;
    this.#context.runInAsyncScope(() => void this.#pump());
  }

  /** The call has settled: nothing more is read from the caller. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#port = undefined;
    if (!this.#ended) this.#context.runInAsyncScope(() => void this.#close());
  }

  async #pump(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#credit.open && this.#port && !this.#ended) {
        const { done, value } = await this.#iterator.next();
        if (this.#stopped) return;
        if (done) this.#end();
        else this.#send(value);
      }
    } catch (error) {
      this.#ended = true;
      this.#failed(asError(error));
    } finally {
      this.#pumping = false;
    }
  }

  #send(value: unknown): void {
    const encoded = encodeValue(value, this.#limit, 'item', this.#shares);
    this.#credit.spend(encoded.length);
    this.#unconfirmed?.push(encoded);
    this.#port?.item(encoded);
  }

  #end(): void {
    this.#ended = true;
    this.#port?.end();
  }

  async #close(): Promise<void> {
    try {
      await this.#iterator.return?.(undefined);
    } catch {
      // The call has settled: there is no promise left for an error of the caller's clean-up.
    }
  }
}
