/** Promises of code that waits for the peer to read. */
export class DrainWaiters {
  #waiting: (() => void)[] = [];

  wait(): Promise<void> {
    return new Promise(resolve => this.#waiting.push(resolve));
  }

  /** There is room, or the connection is over: all go on. */
  resolveAll(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const go of waiting) go();
  }
}
