import { currentContext } from '../../async-context.js';
import type { Sendable } from '../../decorators/worker/client-types.js';
import { INITIAL_ROOM, SendCredit, type Room } from '../../wire/link/credit.js';

export interface NestedInputHost {
  /** Returns its bytes. Throws what the encoder throws. */
  item(value: unknown): number;
  end(): void;
  /** The iterable threw, or gave what cannot be sent. */
  onFailed(reason: unknown): void;
}

/** The stream that goes with a call to another worker: read only as far as that one has room. */
export class NestedInput {
  readonly #source: AsyncIterator<unknown> | Iterator<unknown>;
  readonly #port: NestedInputHost;
  /** Context in which the call was made: the caller's iterable runs in it, not in that of the granted credit. */
  readonly #context = currentContext();
  readonly #credit = new SendCredit(INITIAL_ROOM.sends);
  #reading = false;
  #over = false;

  constructor(items: Sendable<unknown>, port: NestedInputHost) {
    this.#source = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
    this.#port = port;
    void this.#read();
  }

  grant(room: Room): void {
    this.#credit.give(room);
    void this.#context.runInAsyncScope(() => this.#read());
  }

  /** The call is settled: the rest is not read. */
  stop(): void {
    if (this.#over) return;
    this.#over = true;
    void this.#context.runInAsyncScope(() => this.#leave());
  }

  async #read(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    try {
      while (!this.#over && this.#credit.open) {
        const { done, value } = await this.#source.next();
        if (this.#over) break;
        if (done) {
          this.#over = true;
          this.#port.end();
        } else {
          this.#credit.spend(this.#port.item(value));
        }
      }
    } catch (reason) {
      this.stop();
      this.#port.onFailed(reason);
    }
    this.#reading = false;
  }

  async #leave(): Promise<void> {
    try {
      await this.#source.return?.();
    } catch {
      // The call has its outcome already.
    }
  }
}
