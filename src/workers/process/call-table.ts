import type { Call } from '../call/call.js';

/** Calls at one process at a time for which a slot is found by the number alone: prefetch keeps at most 256 there. A power of two. */
const SLOTS = 512;

/**
 * The calls at one process by their numbers, in the order in which they were sent. Numbers are given in sequence, so that the last few
 * hundred lie in a ring, where finding one costs a comparison; a Map costs more than all else that the calls in flight cost. One that is
 * overtaken by so many younger ones moves to a Map.
 */
export class CallTable {
  readonly #ring: (Call | undefined)[] = new Array<Call | undefined>(SLOTS).fill(undefined);
  /** Those overtaken, oldest first; each of them is older than any in the ring. */
  readonly #overtaken = new Map<number, Call>();
  #lastId = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The highest number given so far. */
  get lastId(): number {
    return this.#lastId;
  }

  get(id: number): Call | undefined {
    const call = this.#ring[id & (SLOTS - 1)];
    if (call !== undefined && call.id === id) return call;
    return this.#overtaken.size === 0 ? undefined : this.#overtaken.get(id);
  }

  /** Takes in the call with the next number, which it knows already. */
  add(call: Call): void {
    const { id } = call;
    const before = this.#ring[id & (SLOTS - 1)];
    if (before !== undefined) this.#overtaken.set(before.id, before);
    this.#ring[id & (SLOTS - 1)] = call;
    this.#lastId = id;
    this.#size++;
  }

  /** Takes out a call that is in it. */
  delete({ id }: Call): void {
    const slot = id & (SLOTS - 1);
    if (this.#ring[slot]?.id === id) this.#ring[slot] = undefined;
    else this.#overtaken.delete(id);
    this.#size--;
  }

  clear(): void {
    this.#ring.fill(undefined);
    this.#overtaken.clear();
    this.#size = 0;
  }

  /** Oldest first. */
  *[Symbol.iterator](): Generator<Call> {
    yield* this.#overtaken.values();
    const oldest = this.#lastId + 1;
    for (let slot = oldest; slot < oldest + SLOTS; slot++) {
      const call = this.#ring[slot & (SLOTS - 1)];
      if (call !== undefined) yield call;
    }
  }
}
