import { List, type Listed } from './list.js';
import type { Ranked } from './ranking.js';

/** Takes turns with others: a caller, or all callers of one address. */
export interface Turn<T> extends Listed<Turn<T>>, Ranked<Turn<T>> {
  /** Entries that may be taken. */
  readonly ready: number;
  /** Bytes that its entries keep. */
  readonly weight: number;
  /** The entry that gives way where it has too many: the last one that came. */
  readonly newest: T | undefined;
  /** Takes the entry whose turn it is. */
  shift(): T | undefined;
}

/** Round robin over all that have something ready. */
export class Turns<T> {
  /** The first one's turn is next. */
  readonly #waiting = new List<Turn<T>>();
  /**
   * The one that was served last and has more. It stands behind everyone again when the next turn is given, not before: one that
   * comes while its call runs goes first, and waits for what runs but not for the next call of the same one as well.
   */
  #served: Turn<T> | undefined;

  /** True when {@link shift} would give nothing. */
  get isEmpty(): boolean {
    return this.#waiting.size === 0 && this.#served === undefined;
  }

  /** Takes in one that has something ready now. */
  join(turn: Turn<T>): void {
    this.#waiting.append(turn);
  }

  /** Takes out one that has nothing ready any more, though its turn has not come. */
  leave(turn: Turn<T>): void {
    if (turn === this.#served) this.#served = undefined;
    else this.#waiting.remove(turn);
  }

  /** The entry whose turn it is. */
  shift(): T | undefined {
    if (this.#served) this.#waiting.append(this.#served);
    this.#served = undefined;
    const turn = this.#waiting.shift();
    if (!turn) return undefined;
    const item = turn.shift();
    if (turn.ready > 0) this.#served = turn;
    return item;
  }
}
