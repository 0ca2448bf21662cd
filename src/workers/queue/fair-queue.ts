import { CallerGroup } from './caller-group.js';
import { CallerQueue, type Queueable } from './caller-queue.js';
import { List } from './list.js';
import { Ranking } from './ranking.js';
import { Turns, type Turn } from './turns.js';

export type { CallerQueue, Queueable } from './caller-queue.js';

function heavierOf<W extends { readonly weight: number }>(one: W | undefined, other: W): W {
  return one === undefined || other.weight > one.weight ? other : one;
}

/**
 * Round robin over callers, first come first served within one; each operation costs the same with one waiting and with a million.
 * Callers of one group (an address, that may open as many connections as it likes) have one turn together, and take it one after the other.
 * What is parked counts as waiting but is not taken until it is ready: it waits for a certain process, or for another call.
 */
export class FairQueue<T extends Queueable<T>> {
  readonly #lines = new Map<string, CallerQueue<T>>();
  readonly #groups = new Map<string, CallerGroup<T>>();
  /** Groups, and callers without one. */
  readonly #turns = new Turns<T>();
  readonly #ranking = new Ranking<Turn<T>>();
  /** Calls that had left and came back: they go first, in their old order. */
  readonly #returned = new List<T>();
  #size = 0;

  /** How many wait, parked ones included. */
  get size(): number {
    return this.#size;
  }

  /** True when {@link take} would give something. */
  get hasReady(): boolean {
    return this.#returned.size > 0 || !this.#turns.isEmpty;
  }

  /** How many this caller waits for. */
  waiting(caller: string): number {
    return this.#lines.get(caller)?.waiting ?? 0;
  }

  /** @param group whose turn the caller shares; undefined: it has one of its own */
  push(item: T, caller: string, group?: string): void {
    this.#makeReady(item, this.#admit(item, caller, group));
  }

  /** Counts as waiting, but is not taken before {@link unpark}. */
  park(item: T, caller: string, group?: string): void {
    this.#admit(item, caller, group).parked.append(item);
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
    const item = this.#turns.shift();
    if (item) this.#discharge(item, item.callerQueue!);
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
      if (list === line.parked) list.remove(item);
      else this.#removeReady(item, line);
      this.#discharge(item, line);
    }
    return true;
  }

  /**
   * The call to drop when one more of `caller` is too much: the newest of the caller with the most waiting, in the group with the most.
   * Undefined: the newcomer itself, because no group has more waiting than its own, and in that no caller has more.
   */
  victim(caller: string, group?: string): T | undefined {
    const most = this.#ranking.first;
    const own = this.#turnOf(caller, group);
    if (!most || most.waiting > (own?.waiting ?? 0)) return most?.newest;
    const rival = own instanceof CallerGroup ? own.ranking.first : undefined;
    return rival && rival.waiting > this.waiting(caller) ? rival.newest : undefined;
  }

  /**
   * The call to drop when bytes are too many: the newest of the caller that keeps most, in the group that does. Looks at every caller,
   * which costs less than the copy of the argument that was too much. Undefined: the newcomer, with `weight` more, would keep as much.
   */
  heaviest(caller: string, weight: number, group?: string): T | undefined {
    const own = this.#turnOf(caller, group);
    let most: Turn<T> | undefined;
    for (const line of this.#lines.values()) most = heavierOf(most, line.group ?? line);
    if (!most) return undefined;
    const isOther = most.weight > (own?.weight ?? 0) + weight;
    const within = isOther ? most : own;
    if (!(within instanceof CallerGroup)) return isOther ? most.newest : undefined;
    let rival: CallerQueue<T> | undefined;
    for (const line of this.#lines.values()) if (line.group === within) rival = heavierOf(rival, line);
    return isOther || rival!.weight > this.#weightOf(caller) + weight ? rival!.newest : undefined;
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

  /** Whose turn it would be. */
  #turnOf(caller: string, group: string | undefined): Turn<T> | undefined {
    return group === undefined ? this.#lines.get(caller) : this.#groups.get(group);
  }

  #weightOf(caller: string): number {
    return this.#lines.get(caller)?.weight ?? 0;
  }

  #admit(item: T, caller: string, group: string | undefined): CallerQueue<T> {
    const line = this.#lines.get(caller) ?? this.#open(caller, group);
    const weight = item.weight ?? 0;
    const shared = line.group;
    item.callerQueue = line;
    line.weight += weight;
    if (shared) {
      shared.weight += weight;
      shared.ranking.raise(line);
    }
    this.#ranking.raise(shared ?? line);
    this.#size++;
    return line;
  }

  #open(caller: string, group: string | undefined): CallerQueue<T> {
    let shared: CallerGroup<T> | undefined;
    if (group !== undefined) {
      shared = this.#groups.get(group);
      if (!shared) this.#groups.set(group, (shared = new CallerGroup(group)));
    }
    const line = new CallerQueue(caller, shared);
    this.#lines.set(caller, line);
    return line;
  }

  #makeReady(item: T, line: CallerQueue<T>): void {
    const { group } = line;
    line.append(item);
    if (line.ready === 1) (group?.turns ?? this.#turns).join(line);
    if (group && ++group.ready === 1) this.#turns.join(group);
  }

  #removeReady(item: T, line: CallerQueue<T>): void {
    const { group } = line;
    line.remove(item);
    if (line.ready === 0) (group?.turns ?? this.#turns).leave(line);
    if (group && --group.ready === 0) this.#turns.leave(group);
  }

  #discharge(item: T, line: CallerQueue<T>): void {
    const weight = item.weight ?? 0;
    const { group } = line;
    item.callerQueue = undefined;
    line.weight -= weight;
    if (group) {
      group.weight -= weight;
      group.ranking.lower(line);
    }
    this.#ranking.lower(group ?? line);
    this.#size--;
    if (line.waiting > 0) return;
    this.#lines.delete(line.id);
    if (group?.waiting === 0) this.#groups.delete(group.id);
  }
}
