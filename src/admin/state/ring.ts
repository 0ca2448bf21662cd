/** One thing that happened, with a number that is never used again. */
export interface Entry<T> {
  readonly number: number;
  readonly value: T;
}

/** The latest things that happened, at most so many. */
export class Ring<T> {
  readonly #most: number;
  readonly #entries: Entry<T>[] = [];
  #last = 0;

  constructor(most: number) {
    this.#most = most;
  }

  add(value: T): void {
    this.#entries.push({ number: ++this.#last, value });
    if (this.#entries.length > this.#most) this.#entries.shift();
  }

  /** How many there have been. */
  get count(): number {
    return this.#last;
  }

  /** The newest that fit, newest first, at most so many. */
  newest(most: number, fits: (value: T) => boolean = () => true): readonly Entry<T>[] {
    const found: Entry<T>[] = [];
    for (let at = this.#entries.length - 1; at >= 0 && found.length < most; at--) {
      const entry = this.#entries[at]!;
      if (fits(entry.value)) found.push(entry);
    }
    return found;
  }
}
