/** Queue between a producer that does not wait and an async loop. The producer bounds it. */
export class ItemQueue<T> implements AsyncIterator<T> {
  readonly #items: T[] = [];
  readonly #released: () => void;
  #waiting: ((result: IteratorResult<T>) => void)[] = [];
  #over = false;

  /** @param released called once, when it ends for whatever reason. */
  constructor(released: () => void) {
    this.#released = released;
  }

  get length(): number {
    return this.#items.length;
  }

  put(value: T): void {
    if (this.#over) return;
    const waiting = this.#waiting.shift();
    if (waiting) waiting({ done: false, value });
    else this.#items.push(value);
  }

  dropOldest(): void {
    this.#items.shift();
  }

  /** Ends the queue; the items in it are still delivered. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve({ done: true, value: undefined });
    this.#released();
  }

  next(): Promise<IteratorResult<T>> {
    if (this.#items.length > 0) return Promise.resolve({ done: false, value: this.#items.shift()! });
    if (this.#over) return Promise.resolve({ done: true, value: undefined });
    return new Promise(resolve => this.#waiting.push(resolve));
  }

  return(): Promise<IteratorResult<T>> {
    this.#items.length = 0;
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }
}
