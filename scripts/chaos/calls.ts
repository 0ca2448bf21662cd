/** Counts calls: made, settled, and settled more than once. */
export class CallCounts {
  made = 0;
  settled = 0;
  twice = 0;

  /** Sees one call through. */
  async count<T>(call: () => Promise<T>): Promise<T> {
    this.made++;
    let isSettled = false;
    const settle = (): void => {
      if (isSettled) this.twice++;
      isSettled = true;
      this.settled++;
    };
    // Both listeners, as a caller would have them: more than one of them called is a fault.
    const promise = call();
    promise.then(settle, settle);
    return promise;
  }
}

export const calls = new CallCounts();

/** Event streams that nobody has cancelled. */
export const subscriptions = { count: 0 };
