import type { RunningCall } from './call.js';

/** Slots given out that may lie in front of the queue before it is moved up. */
const SLACK = 512;

/** Calls that have arrived and not begun, in the order of their ids. A dropped one keeps its place until its turn comes, and is then passed over. */
export class RunQueue {
  #calls: RunningCall[] = [];
  #head = 0;

  /** Those that were dropped included. */
  get size(): number {
    return this.#calls.length - this.#head;
  }

  get empty(): boolean {
    return this.#head === this.#calls.length;
  }

  push(call: RunningCall): void {
    if (this.#head > SLACK) {
      this.#calls = this.#calls.slice(this.#head);
      this.#head = 0;
    }
    this.#calls.push(call);
  }

  shift(): RunningCall | undefined {
    while (this.#head < this.#calls.length) {
      const call = this.#calls[this.#head]!;
      this.#calls[this.#head++] = undefined!; // Lets the collector have the input of a call that is over.
      if (this.empty) {
        this.#calls = [];
        this.#head = 0;
      }
      if (call.phase === 'waiting') return call;
    }
    return undefined;
  }

  find(id: number): RunningCall | undefined {
    for (let i = this.#head; i < this.#calls.length; i++)
      if (this.#calls[i]!.id === id && this.#calls[i]!.phase === 'waiting') return this.#calls[i];
    return undefined;
  }

  /** The id of the last of at most `count` quick calls at the front; that of `first` where there is none. */
  lastQuick(first: RunningCall, count: number): number {
    let last = first;
    for (let i = this.#head; i < this.#calls.length && i < this.#head + count && this.#calls[i]!.task.isQuick; i++) last = this.#calls[i]!;
    return last.id;
  }
}
