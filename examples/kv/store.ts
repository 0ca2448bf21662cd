import { Every } from 'packet-ts';

interface Entry {
  value: Buffer;
  /** Milliseconds since the epoch; Infinity: it stays. */
  until: number;
}

/** Keys and values, and when they expire. One for all connections. */
export class Store {
  readonly #entries = new Map<string, Entry>();

  get(key: Buffer): Buffer | null {
    return this.#live(key)?.value ?? null;
  }

  set(key: Buffer, value: Buffer, until = Infinity): void {
    this.#entries.set(key.toString('latin1'), { value, until });
  }

  delete(key: Buffer): boolean {
    return this.#live(key) !== undefined && this.#entries.delete(key.toString('latin1'));
  }

  /** Milliseconds that it has left; undefined: there is no such key. */
  left(key: Buffer): number | undefined {
    const until = this.#live(key)?.until;
    return until === undefined ? undefined : until - Date.now();
  }

  expire(key: Buffer, until: number): boolean {
    const entry = this.#live(key);
    if (entry) entry.until = until;
    return entry !== undefined;
  }

  get size(): number {
    return this.#entries.size;
  }

  clear(): void {
    this.#entries.clear();
  }

  /** Keys that nobody asks for expire all the same. */
  @Every('1s') sweep(): void {
    const now = Date.now();
    for (const [name, { until }] of this.#entries) if (until <= now) this.#entries.delete(name);
  }

  #live(key: Buffer): Entry | undefined {
    const name = key.toString('latin1');
    const entry = this.#entries.get(name);
    if (!entry || entry.until > Date.now()) return entry;
    this.#entries.delete(name);
    return undefined;
  }
}
