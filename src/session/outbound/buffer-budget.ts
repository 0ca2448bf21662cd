/** A message that many connections send from one piece of memory: counted once, for as long as one of them has it to send. */
export interface SharedMessage {
  readonly bytes: number;
  /** Connections that have it to send. Only the budget writes it. */
  holders: number;
}

/** The send buffer of one connection, as the budget of its reactor counts it. */
export interface Buffering {
  /** Bytes of its own, counted last. Only the budget writes it. */
  budgeted: number;
  /** Bytes that it has to send and shares with other connections. */
  readonly sharedBytes: number;
  /** Called when the total is too high and this connection has most: it drops everything that waits, and is closed. */
  evict(message: string): void;
}

/**
 * The limit on what waits to be sent on all connections of a reactor, `maxBufferedBytesTotal`: beyond it the connection with most goes
 * first, so that a few peers that do not read cannot take the memory of all. Counted only where bytes wait: a peer that reads costs
 * nothing.
 */
export class BufferBudget {
  readonly #limit: number;
  readonly #waiting = new Set<Buffering>();
  #total = 0;

  /** @param limit in bytes; Infinity is off. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes that wait on all connections. */
  get total(): number {
    return this.#total;
  }

  /** Takes note of how much waits on a connection now; above the limit the heaviest are evicted, which may be this one. */
  count(buffering: Buffering, bytes: number): void {
    this.#total += bytes - buffering.budgeted;
    buffering.budgeted = bytes;
    if (bytes > 0 || buffering.sharedBytes > 0) this.#waiting.add(buffering);
    else this.#waiting.delete(buffering);
    while (this.#total > this.#limit && this.#waiting.size > 0) this.#evictHeaviest();
  }

  /** One more connection has it to send. */
  hold(message: SharedMessage): void {
    if (message.holders++ === 0) this.#total += message.bytes;
  }

  /** One connection has sent it, or will not. */
  release(message: SharedMessage): void {
    if (--message.holders === 0) this.#total -= message.bytes;
  }

  #evictHeaviest(): void {
    let heaviest: Buffering | undefined;
    let most = -1;
    for (const each of this.#waiting) {
      const bytes = each.budgeted + each.sharedBytes;
      if (bytes <= most) continue;
      most = bytes;
      heaviest = each;
    }
    if (!heaviest) return;
    // Counted off first: evicting closes it, and that counts again.
    this.#waiting.delete(heaviest);
    this.#total -= heaviest.budgeted;
    heaviest.budgeted = 0;
    heaviest.evict(`all connections together have more than ${this.#limit} bytes waiting to be sent, and this one has most: ${most}`);
  }
}
