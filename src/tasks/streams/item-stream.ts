import { currentContext } from '../../async-context.js';
import { BoundaryError } from '../../errors.js';
import type { Validator } from '../../schema.js';
import { SendCredit, type Room } from '../../wire/link/credit.js';

/** The runtime, as a stream sees it. */
export interface ItemStreamHost {
  /** Sends one item; returns its bytes. Throws what the encoder throws. */
  item(value: unknown): number;
  /** The source has ended, or was left: settles the call. */
  onEnded(): void;
  onFailed(reason: unknown): void;
}

interface Source {
  next(): unknown;
  return?(): unknown;
}

/** The iterator of a streaming task's result: an async generator as a rule, any iterable will do. */
function sourceOf(result: unknown): Source {
  const iterable = result as { [Symbol.asyncIterator]?(): Source; [Symbol.iterator]?(): Source } | null | undefined;
  const source = typeof result === 'object' ? (iterable?.[Symbol.asyncIterator]?.() ?? iterable?.[Symbol.iterator]?.()) : undefined;
  if (!source) throw new TypeError('a task with `yields` must return an async iterable: write it as `async *`');
  return source;
}

/** One streaming call: takes from the generator only what the caller has room for. */
export class YieldedItems {
  readonly #source: Source;
  readonly #validate: Validator | undefined;
  readonly #name: { readonly worker: string; readonly task: string };
  readonly #port: ItemStreamHost;
  /** The task's async context: its `finally` blocks run in it, whatever ended the stream. */
  readonly #context = currentContext();
  readonly #credit: SendCredit;
  #wake: (() => void) | undefined;
  #left = false;

  constructor(
    result: unknown,
    credit: Room,
    validate: Validator | undefined,
    name: { readonly worker: string; readonly task: string },
    port: ItemStreamHost,
  ) {
    this.#source = sourceOf(result);
    this.#credit = new SendCredit(credit);
    this.#validate = validate;
    this.#name = name;
    this.#port = port;
    void this.#run();
  }

  give(credit: Room): void {
    this.#credit.give(credit);
    this.#wakeUp();
  }

  /** Ends it because the rest is not read: the generator's `finally` blocks run, also when it is just waiting for something. */
  leave(): void {
    if (this.#left) return;
    this.#left = true;
    void this.#context.runInAsyncScope(() => this.#close());
    this.#wakeUp();
  }

  #wakeUp(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  async #run(): Promise<void> {
    try {
      while (!this.#left) {
        if (!this.#credit.open) {
          await new Promise<void>(resolve => (this.#wake = resolve));
          continue;
        }
        const { done, value } = (await this.#source.next()) as IteratorResult<unknown>;
        if (this.#left) return; // The end started by leave() settles the call.
        if (done) return this.#port.onEnded();
        const verdict = this.#validate?.(value);
        if (verdict?.issues) throw new BoundaryError({ ...this.#name, direction: 'output', ...verdict });
        this.#credit.spend(this.#port.item(value));
      }
    } catch (reason) {
      if (this.#left) return;
      this.#left = true;
      // After an item that cannot be sent the generator is still open; after its own error this does nothing.
      await this.#return();
      this.#port.onFailed(reason);
    }
  }

  async #close(): Promise<void> {
    await this.#return();
    this.#port.onEnded();
  }

  async #return(): Promise<void> {
    try {
      await this.#source.return?.();
    } catch {
      // The caller has left, or has an error already: this one has no receiver.
    }
  }
}
