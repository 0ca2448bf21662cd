/** An item of an {@link UnorderedList}. The list writes the field. */
export interface ListedItem {
  /** Where it stands in its list; -1: in none. */
  listIndex: number;
}

/**
 * Items in no order that come and go all the time, each in one such list at most.
 *
 * A `Set` or `Map` through which many items pass makes a new table every so often. Tables that were left refer to those that followed,
 * and to what they held: once one of them is old, the garbage collector keeps all of it until its next full run. This list has one array.
 */
export class UnorderedList<T extends ListedItem> {
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  /** Adds an item that is in no list. */
  add(item: T): void {
    item.listIndex = this.#items.push(item) - 1;
  }

  /** Removes an item, if it is there. */
  delete(item: T): void {
    const { listIndex } = item;
    if (this.#items[listIndex] !== item) return;
    item.listIndex = -1;
    const last = this.#items.pop()!;
    if (last === item) return;
    this.#items[listIndex] = last;
    last.listIndex = listIndex;
  }

  /** The items as they are now: what is added or removed meanwhile is not noticed. */
  [Symbol.iterator](): IterableIterator<T> {
    return this.#items.slice().values();
  }
}
