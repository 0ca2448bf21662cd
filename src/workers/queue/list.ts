/** An entry of a {@link List}: it carries its own links, so that joining and leaving allocate nothing. In one list at a time. */
export interface Listed<T extends Listed<T>> {
  /** Written by the list alone. */
  prev: T | undefined;
  next: T | undefined;
  list: List<T> | undefined;
}

/** An intrusive doubly linked list: everything is O(1). */
export class List<T extends Listed<T>> {
  #head: T | undefined;
  #tail: T | undefined;
  #size = 0;

  get head(): T | undefined {
    return this.#head;
  }

  get tail(): T | undefined {
    return this.#tail;
  }

  get size(): number {
    return this.#size;
  }

  append(item: T): void {
    const tail = this.#tail;
    item.prev = tail;
    item.next = undefined;
    item.list = this;
    if (tail) tail.next = item;
    else this.#head = item;
    this.#tail = item;
    this.#size++;
  }

  /** Takes the item out; it must be in this list. */
  remove(item: T): void {
    const { prev, next } = item;
    if (prev) prev.next = next;
    else this.#head = next;
    if (next) next.prev = prev;
    else this.#tail = prev;
    item.prev = item.next = item.list = undefined;
    this.#size--;
  }

  shift(): T | undefined {
    const head = this.#head;
    if (head) this.remove(head);
    return head;
  }
}
