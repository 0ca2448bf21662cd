/** A caller with its number of waiting calls. Written by the {@link Ranking} alone. */
export interface Ranked<T> {
  waiting: number;
  rank: Rank<T> | undefined;
  above: T | undefined;
  below: T | undefined;
}

/** All that wait with the same number. */
class Rank<T> {
  head: T | undefined;
  lower: Rank<T> | undefined;
  higher: Rank<T> | undefined;
  constructor(public waiting: number) {}
}

/**
 * Finds the caller with the most waiting calls, in O(1): numbers change by one at a time, so an entry only ever moves to the neighbouring
 * rank. An entry that is alone in its rank takes the rank along, and nothing is allocated.
 */
export class Ranking<T extends Ranked<T>> {
  #highest: Rank<T> | undefined;
  #lowest: Rank<T> | undefined;

  /** One of the entries with most; the latest to reach that number. */
  get first(): T | undefined {
    return this.#highest?.head;
  }

  raise(entry: T): void {
    const rank = entry.rank;
    const waiting = ++entry.waiting;
    const higher = rank ? rank.higher : this.#lowest;
    if (rank && rank.head === entry && !entry.below && higher?.waiting !== waiting) {
      rank.waiting = waiting;
      return;
    }
    this.#enter(entry, higher?.waiting === waiting ? higher : this.#insert(waiting, rank, higher));
    if (rank) this.#drop(rank);
  }

  lower(entry: T): void {
    const rank = entry.rank!;
    const waiting = --entry.waiting;
    const lower = rank.lower;
    if (waiting === 0) this.#leave(entry);
    else if (rank.head === entry && !entry.below && lower?.waiting !== waiting) {
      rank.waiting = waiting;
      return;
    } else this.#enter(entry, lower?.waiting === waiting ? lower : this.#insert(waiting, lower, rank));
    this.#drop(rank);
  }

  #insert(waiting: number, lower: Rank<T> | undefined, higher: Rank<T> | undefined): Rank<T> {
    const rank = new Rank<T>(waiting);
    rank.lower = lower;
    rank.higher = higher;
    if (lower) lower.higher = rank;
    else this.#lowest = rank;
    if (higher) higher.lower = rank;
    else this.#highest = rank;
    return rank;
  }

  #enter(entry: T, rank: Rank<T>): void {
    this.#leave(entry);
    entry.rank = rank;
    entry.below = rank.head;
    if (rank.head) rank.head.above = entry;
    rank.head = entry;
  }

  #leave(entry: T): void {
    const rank = entry.rank;
    if (!rank) return;
    if (entry.above) entry.above.below = entry.below;
    else rank.head = entry.below;
    if (entry.below) entry.below.above = entry.above;
    entry.rank = entry.above = entry.below = undefined;
  }

  /** Removes an empty rank. */
  #drop(rank: Rank<T>): void {
    if (rank.head) return;
    if (rank.lower) rank.lower.higher = rank.higher;
    else this.#lowest = rank.higher;
    if (rank.higher) rank.higher.lower = rank.lower;
    else this.#highest = rank.lower;
  }
}
