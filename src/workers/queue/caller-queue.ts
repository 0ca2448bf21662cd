import type { CallerGroup } from './caller-group.js';
import { List, type Listed } from './list.js';
import type { Ranked } from './ranking.js';
import type { Turn } from './turns.js';

/** An entry of the fair queue. */
export interface Queueable<T extends Queueable<T>> extends Listed<T> {
  /** The caller it waits for; undefined when it does not wait, or was put back at the front. Written by the queue alone. */
  callerQueue: CallerQueue<T> | undefined;
  /** Bytes that it keeps while it waits. */
  readonly weight?: number;
  /** A caller within that caller, which takes turns with the others there and has no turn of its own outside. */
  readonly within?: string | undefined;
}

/** The ready entries of one caller within a line, or of the line's own caller. */
class Share<T extends Queueable<T>> extends List<T> implements Listed<Share<T>> {
  prev: Share<T> | undefined;
  next: Share<T> | undefined;
  list: List<Share<T>> | undefined;
  constructor(readonly id: string | undefined) {
    super();
  }
}

/** One caller and what it waits for. It exists only while it waits. */
export class CallerQueue<T extends Queueable<T>> implements Turn<T> {
  readonly parked = new List<T>();
  waiting = 0;
  weight = 0;
  rank: Ranked<Turn<T>>['rank'];
  above: Turn<T> | undefined;
  below: Turn<T> | undefined;
  prev: Turn<T> | undefined;
  next: Turn<T> | undefined;
  list: List<Turn<T>> | undefined;
  ready = 0;
  readonly #own = new Share<T>(undefined);
  /** Callers within this one that have something ready. Neither exists where there are none. */
  #shares: Map<string, Share<T>> | undefined;
  #turns: List<Share<T>> | undefined;

  /** @param group whose turn it shares; undefined: it has one of its own */
  constructor(
    readonly id: string,
    readonly group?: CallerGroup<T>,
  ) {}

  /** The last one that came of those whose turn is last, and of what is parked where nothing is ready. */
  get newest(): T | undefined {
    return (this.#turns === undefined ? this.#own.tail : this.#turns.tail?.tail) ?? this.parked.tail;
  }

  /** Ready, behind what its caller has ready. */
  append(item: T): void {
    this.ready++;
    const share = item.within === undefined ? this.#own : this.#shareOf(item.within);
    share.append(item);
    if (share.size === 1) this.#turns?.append(share);
  }

  shift(): T | undefined {
    const share = this.#turns === undefined ? this.#own : this.#turns.head;
    const item = share?.head;
    if (share === undefined || item === undefined) return undefined;
    this.remove(item);
    // Behind the others of this line.
    if (share.size > 0 && this.#turns !== undefined) {
      this.#turns.remove(share);
      this.#turns.append(share);
    }
    return item;
  }

  /** Takes out an entry that is ready here. */
  remove(item: T): void {
    this.ready--;
    const share = item.list as Share<T>;
    share.remove(item);
    if (share.size > 0 || this.#turns === undefined) return;
    this.#turns.remove(share);
    if (share.id !== undefined) this.#shares!.delete(share.id);
    if (this.#turns.size === 0) this.#turns = this.#shares = undefined;
  }

  #shareOf(id: string): Share<T> {
    if (this.#turns === undefined || this.#shares === undefined) {
      this.#turns = new List();
      this.#shares = new Map();
      if (this.#own.size > 0) this.#turns.append(this.#own);
    }
    let share = this.#shares.get(id);
    if (share === undefined) this.#shares.set(id, (share = new Share<T>(id)));
    return share;
  }
}
