/** Up to here, looking through them one by one is cheaper than a Set. */
const FEW = 24;
const NOTHING = {};

/**
 * The objects of one value, in the order in which they were begun. An object that comes again keeps its identity on the other side;
 * small values, which are most, must not pay for that with a Map.
 */
export class Identities {
  /** Some object came again since `clear()`. */
  shared = false;
  #count = 0;
  /** The first ones, and then all of them in `#many`. */
  readonly #few: object[] = Array.from({ length: FEW }, () => NOTHING);
  /** A Set, because adding tells whether it was there: one look-up where nothing is shared. It keeps the order in which its members came. */
  #many: Set<object> | undefined;
  /** The places of all of them, once one of many came again. */
  #places: Map<object, number> | undefined;
  /** The objects that were begun since the innermost `attempt`: they may have to be forgotten. */
  #added: object[] | undefined;

  /** The place of an object that was begun before; -1 for a new one, which is begun now. */
  begin(object: object): number {
    const count = this.#count;
    if (count < FEW) {
      const few = this.#few;
      for (let i = 0; i < count; i++) if (few[i] === object) return this.#again(i);
      few[count] = object;
    } else {
      const place = this.#amongMany(object, count);
      if (place >= 0) return this.#again(place);
    }
    this.#count = count + 1;
    this.#added?.push(object);
    return -1;
  }

  /** Forgets the objects that `write` began if it throws; whether it did not. */
  attempt(write: () => void): boolean {
    const outer = this.#added;
    const added: object[] = (this.#added = []);
    try {
      write();
      if (outer !== undefined) for (const object of added) outer.push(object);
      return true;
    } catch {
      this.#count -= added.length;
      for (const object of added) {
        this.#many?.delete(object);
        this.#places?.delete(object);
      }
      if (this.#count < FEW) this.#many = this.#places = undefined;
      return false;
    } finally {
      this.#added = outer;
    }
  }

  clear(): void {
    const used = this.#count < FEW ? this.#count : FEW;
    for (let i = 0; i < used; i++) this.#few[i] = NOTHING;
    this.#count = 0;
    this.#many = this.#places = undefined;
    this.shared = false;
  }

  #again(place: number): number {
    this.shared = true;
    return place;
  }

  #amongMany(object: object, count: number): number {
    if (this.#places !== undefined) {
      const place = this.#places.get(object);
      if (place !== undefined) return place;
      this.#places.set(object, count);
      return -1;
    }
    const many = (this.#many ??= new Set(this.#few));
    many.add(object);
    if (many.size > count) return -1;
    this.#places = new Map();
    for (const member of many) this.#places.set(member, this.#places.size);
    return this.#places.get(object)!;
  }
}
