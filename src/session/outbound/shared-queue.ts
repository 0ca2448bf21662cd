import type { BufferBudget, SharedMessage } from './buffer-budget.js';

/** The shared messages that one connection has not sent yet, in order, each with the place in its stream where it ends. */
export class SharedQueue {
  readonly #budget: BufferBudget;
  readonly #waiting: { readonly message: SharedMessage; readonly end: number }[] = [];
  bytes = 0;

  constructor(budget: BufferBudget) {
    this.#budget = budget;
  }

  /** @param end how many bytes the kernel has taken when it has taken this message. */
  add(message: SharedMessage, end: number): void {
    this.#budget.hold(message);
    this.#waiting.push({ message, end });
    this.bytes += message.bytes;
  }

  /** Lets go of what has been sent. */
  releaseUpTo(upTo: number): void {
    while (this.#waiting.length > 0 && this.#waiting[0]!.end <= upTo) {
      const { message } = this.#waiting.shift()!;
      this.bytes -= message.bytes;
      this.#budget.release(message);
    }
  }
}
