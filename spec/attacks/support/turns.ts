/** Counts what happens in each turn of the event loop, and keeps the most of any. */
export class Turns implements Disposable {
  #inTurn = 0;
  #most = 0;
  #total = 0;
  #next = setImmediate(() => this.#turn());

  /** One more thing has happened in this turn. */
  count(): void {
    this.#total++;
    this.#most = Math.max(this.#most, ++this.#inTurn);
  }

  /** The most in one turn. */
  get most(): number {
    return this.#most;
  }

  get total(): number {
    return this.#total;
  }

  #turn(): void {
    this.#inTurn = 0;
    this.#next = setImmediate(() => this.#turn());
  }

  [Symbol.dispose](): void {
    clearImmediate(this.#next);
  }
}
