/** Bytes under way at least, and at most. */
const LEAST = 256 * 1024;
const MOST = 1024 * 1024;
/** Milliseconds that bytes may wait on their way, beyond what the way itself takes. */
const PATIENCE = 5;
/** Share by which the quickest way ever seen is forgotten at each confirmation: routes change. */
const FORGET = 0.0001;

/**
 * How much may be under way on one link: what is, a small message waits behind. It grows while confirmations come about as soon as they can,
 * so that a long and wide way is filled, and shrinks while they take longer, because then bytes only lie in a buffer on the way.
 */
export class Window {
  #bytes = LEAST;
  /** Milliseconds of the quickest confirmation. */
  #quickest = Infinity;

  static readonly most = MOST;

  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes were confirmed, the last of them so many milliseconds after they were sent. */
  onConfirmed(bytes: number, delay: number): void {
    this.#quickest = Math.min(delay, this.#quickest * (1 + FORGET));
    if (delay <= 2 * this.#quickest + PATIENCE) this.#bytes = Math.min(MOST, this.#bytes + bytes / 4);
    else this.#bytes = Math.max(LEAST, this.#bytes - bytes / 2);
  }
}
