/** A promise with its handles. */
export interface Deferred<T = void> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: unknown): void;
}

export function deferred<T = void>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

/** Turns of the event loop: what is in memory settles in them. */
export async function turns(count = 5): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise<void>(resolve => setImmediate(resolve));
}

/** Notes what happens, and lets a test wait for it. */
export class Journal {
  readonly entries: string[] = [];
  #waiters: { readonly entry: string; readonly resolve: () => void }[] = [];

  note(entry: string): void {
    this.entries.push(entry);
    this.#waiters = this.#waiters.filter(waiter => {
      if (waiter.entry !== entry) return true;
      waiter.resolve();
      return false;
    });
  }

  has(entry: string): Promise<void> {
    if (this.entries.includes(entry)) return Promise.resolve();
    return new Promise(resolve => this.#waiters.push({ entry, resolve }));
  }
}
