import { CallerQueue, type Queueable } from './caller-queue.js';
import { List } from './list.js';
import { Ranking } from './ranking.js';

export type { CallerQueue, Queueable } from './caller-queue.js';

/**
 * Round robin over callers, first come first served within one; each operation costs the same with one waiting and with a million.
 * What is parked counts as waiting but is not taken until it is ready: it waits for a certain process, or for another call.
 */
export class FairQueue<T extends Queueable<T>> {
  readonly #lines = new Map<string, CallerQueue<T>>();
  /** Callers with something ready; the first one's turn is next. */
  readonly #turns = new List<CallerQueue<T>>();
  readonly #ranking = new Ranking<CallerQueue<T>>();
  /**
   * The caller that was served last and has more. It stands behind everyone again when the next turn is given, not before: a caller that
   * comes while its call runs goes first, and waits for what runs but not for that caller's next call as well.
   */
  #served: CallerQueue<T> | undefined;
  /** Calls that had left and came back: they go first, in their old order. */
  readonly #returned = new List<T>();
  #size = 0;

  /** How many wait, parked ones included. */
  get size(): number {
    return this.#size;
  }

  /** True when {@link take} would give something. */
  get hasReady(): boolean {
    return this.#returned.size > 0 || this.#turns.size > 0 || this.#served !== undefined;
  }

  /** How many this caller waits for. */
  waiting(caller: string): number {
    return this.#lines.get(caller)?.waiting ?? 0;
  }

  push(item: T, caller: string): void {
    this.#admit(item, caller);
    this.#makeReady(item, item.callerQueue!);
  }

  /** Counts as waiting, but is not taken before {@link unpark}. */
  park(item: T, caller: string): void {
    this.#admit(item, caller);
    item.callerQueue!.parked.append(item);
  }

  /** Ready at last, behind what its caller has ready already. */
  unpark(item: T): void {
    const line = item.callerQueue!;
    line.parked.remove(item);
    this.#makeReady(item, line);
  }

  /** Back to the front, before everything: call it in the order in which they are to leave. */
  giveBack(item: T): void {
    this.#returned.append(item);
    this.#size++;
  }

  /** Whose turn it is; undefined when nothing is ready. */
  take(): T | undefined {
    const back = this.#returned.shift();
    if (back) {
      this.#size--;
      return back;
    }
    if (this.#served) this.#turns.append(this.#served);
    this.#served = undefined;
    const line = this.#turns.shift();
    if (!line) return undefined;
    const item = line.shift()!;
    if (line.ready > 0) this.#served = line;
    this.#discharge(item, line);
    return item;
  }

  /** Takes out one that waits, wherever it stands. False when it does not. */
  delete(item: T): boolean {
    const { list, callerQueue: line } = item;
    if (!list || (list !== this.#returned && !line)) return false;
    if (!line) {
      list.remove(item);
      this.#size--;
    } else {
      const parked = list === line.parked;
      if (parked) list.remove(item);
      else line.remove(item);
      if (!parked && line.ready === 0) {
        if (line === this.#served) this.#served = undefined;
        else this.#turns.remove(line);
      }
      this.#discharge(item, line);
    }
    return true;
  }

  /**
   * The call to drop when one more of `caller` is too much: the newest of the caller with the most waiting.
   * Undefined: the newcomer itself, because no caller has more waiting than its own.
   */
  victim(caller: string): T | undefined {
    const most = this.#ranking.first;
    if (!most || most.waiting <= this.waiting(caller)) return undefined;
    return most.newest ?? most.parked.tail;
  }

  /**
   * The call to drop when bytes are too many: the newest of the caller that keeps most. Looks at every caller, which costs less than the
   * copy of the argument that was too much. Undefined: the newcomer, with `weight` more, would keep as much.
   */
  heaviest(caller: string, weight: number): T | undefined {
    let most: CallerQueue<T> | undefined;
    for (const line of this.#lines.values()) if (most === undefined || line.weight > most.weight) most = line;
    if (!most || most.weight <= (this.#lines.get(caller)?.weight ?? 0) + weight) return undefined;
    return most.newest ?? most.parked.tail;
  }

  /** Takes out everything, in the order in which it would have left; parked ones last. */
  *drain(): Generator<T> {
    for (let item = this.take(); item; item = this.take()) yield item;
    for (const line of [...this.#lines.values()]) {
      for (let item = line.parked.head; item; item = line.parked.head) {
        this.delete(item);
        yield item;
      }
    }
  }

  #admit(item: T, caller: string): void {
    let line = this.#lines.get(caller);
    if (!line) this.#lines.set(caller, (line = new CallerQueue(caller)));
    item.callerQueue = line;
    line.weight += item.weight ?? 0;
    this.#ranking.raise(line);
    this.#size++;
  }

  #makeReady(item: T, line: CallerQueue<T>): void {
    line.append(item);
    if (line.ready === 1) this.#turns.append(line);
  }

  #discharge(item: T, line: CallerQueue<T>): void {
    item.callerQueue = undefined;
    line.weight -= item.weight ?? 0;
    this.#ranking.lower(line);
    this.#size--;
    if (line.waiting === 0) this.#lines.delete(line.id);
  }
}
