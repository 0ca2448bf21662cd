import { currentContext } from '../../async-context.js';
import { INITIAL_CREDIT } from '../../wire/link/protocol.js';
import type { Sendable } from '../../decorators/worker/client-types.js';

export interface UpSenderPort {
  /** Throws what the encoder throws. */
  item(value: unknown): void;
  end(): void;
  /** The iterable threw, or gave what cannot be sent. */
  failed(reason: unknown): void;
}

/** The stream that goes with a call to another worker: read only as far as that one has room. */
export class UpSender {
  readonly #source: AsyncIterator<unknown> | Iterator<unknown>;
  readonly #port: UpSenderPort;
  /** The caller's iterable runs where the call was made, whoever grants the credit. */
  readonly #context = currentContext();
  #credit: number = INITIAL_CREDIT.sends;
  #reading = false;
  #over = false;

  constructor(items: Sendable<unknown>, port: UpSenderPort) {
    this.#source = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
    this.#port = port;
    void this.#read();
  }

  grant(credit: number): void {
    this.#credit += credit;
    void this.#context.runInAsyncScope(() => this.#read());
  }

  /** The call is settled: the rest is read by nobody. */
  stop(): void {
    if (this.#over) return;
    this.#over = true;
    void this.#context.runInAsyncScope(() => this.#leave());
  }

  async #read(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    try {
      while (!this.#over && this.#credit > 0) {
        const { done, value } = await this.#source.next();
        if (this.#over) break;
        if (done) {
          this.#over = true;
          this.#port.end();
        } else {
          this.#credit--;
          this.#port.item(value);
        }
      }
    } catch (reason) {
      this.stop();
      this.#port.failed(reason);
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
