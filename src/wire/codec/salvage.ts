import { EventEmitter } from 'node:events';
import { types } from 'node:util';

/** Limits of what is saved of one property of an error: levels and objects. An attached client object would bring its whole world along. */
const MOST_LEVELS = 6;
const MOST_OBJECTS = 1000;

/** Nothing of it can be saved. */
export const LOST: unique symbol = Symbol('lost');

/**
 * A copy of a value without what cannot be sent, for the properties of errors: of `error.response` the status and the headers, not the
 * socket. Functions, symbols, promises, emitters and what throws when it is read are left out, in collections, too; memory is kept as it is.
 * `LOST` where nothing is left.
 */
export function salvage(value: unknown): unknown {
  return new Salvage().of(value, MOST_LEVELS);
}

/** As many of them as are saved at most. */
function* first<T>(items: Iterable<T>): Generator<T> {
  let count = 0;
  for (const item of items) {
    if (++count > MOST_OBJECTS) return;
    yield item;
  }
}

class Salvage {
  #left = MOST_OBJECTS;
  readonly #seen = new Set<object>();

  of(value: unknown, levels: number): unknown {
    if (typeof value === 'function' || typeof value === 'symbol') return LOST;
    if (typeof value !== 'object' || value === null) return value;
    try {
      return this.#ofObject(value, levels);
    } catch {
      // A proxy that refuses.
      return LOST;
    }
  }

  #ofObject(value: object, levels: number): unknown {
    if (levels === 0 || this.#left-- <= 0 || this.#seen.has(value)) return LOST;
    if (types.isDate(value) || types.isRegExp(value) || ArrayBuffer.isView(value) || value instanceof Error) return value;
    if (types.isPromise(value) || value instanceof EventEmitter) return LOST;
    this.#seen.add(value);
    const saved = this.#ofContainer(value, levels);
    this.#seen.delete(value);
    return saved;
  }

  #ofContainer(value: object, levels: number): unknown {
    if (Array.isArray(value)) return this.#ofArray(value, levels);
    if (types.isMap(value)) return this.#ofMap(value, levels);
    return types.isSet(value) ? this.#ofSet(value, levels) : this.#ofProperties(value, levels);
  }

  #ofMap(map: ReadonlyMap<unknown, unknown>, levels: number): unknown {
    const saved = new Map<unknown, unknown>();
    for (const [key, value] of first(Map.prototype.entries.call(map))) {
      const [savedKey, child] = [this.of(key, levels - 1), this.of(value, levels - 1)];
      if (savedKey !== LOST && child !== LOST) saved.set(savedKey, child);
    }
    return saved.size > 0 ? saved : LOST;
  }

  #ofSet(set: ReadonlySet<unknown>, levels: number): unknown {
    const saved = new Set<unknown>();
    for (const item of first(Set.prototype.values.call(set))) {
      const child = this.of(item, levels - 1);
      if (child !== LOST) saved.add(child);
    }
    return saved.size > 0 ? saved : LOST;
  }

  #ofArray(array: readonly unknown[], levels: number): unknown[] {
    return array.slice(0, MOST_OBJECTS).map(item => {
      const saved = this.of(item, levels - 1);
      return saved === LOST ? undefined : saved;
    });
  }

  #ofProperties(object: object, levels: number): unknown {
    const saved: Record<string, unknown> = {};
    let some = false;
    for (const key of Object.keys(object).slice(0, MOST_OBJECTS)) {
      const child = this.#read(object, key, levels);
      if (child === LOST) continue;
      Object.defineProperty(saved, key, { value: child, configurable: true, enumerable: true, writable: true });
      some = true;
    }
    return some ? saved : LOST;
  }

  #read(object: object, key: string, levels: number): unknown {
    try {
      return this.of((object as Record<string, unknown>)[key], levels - 1);
    } catch {
      return LOST;
    }
  }
}
