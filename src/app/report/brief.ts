import { inspect, types } from 'node:util';
import { printable } from '../../errors/printable.js';

/** Limits of what is shown of a value: entries of a collection, levels, characters of a text and of the whole. */
const MOST = { entries: 10, depth: 2, text: 100, whole: 300 } as const;
/** A BigInt that takes at most this many bits is printed; a longer one in time that grows faster than its length. */
const BITS = 256;

const SHOWN = { breakLength: Infinity, compact: true, depth: MOST.depth, maxArrayLength: MOST.entries } as const;

/** Printed as it is. */
class Word {
  readonly #text: string;
  constructor(text: string) {
    this.#text = text;
  }
  [inspect.custom](): string {
    return this.#text;
  }
}

/**
 * Formats a worker's status as one line of at most some 300 characters, in a time that does not depend on the value:
 * the beginning of texts and collections, without a character that a terminal obeys.
 */
export function brief(value: unknown): string {
  return printable(inspect(abridged(value, MOST.depth), SHOWN), MOST.whole);
}

/** A small value that prints like the beginning of this one, which was decoded: plain data, collections, memory, errors; no getters. */
function abridged(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return value.length > MOST.text ? `${value.slice(0, MOST.text)}…` : value;
  if (typeof value === 'bigint') return BigInt.asIntN(BITS, value) === value ? value : new Word('a large BigInt');
  if (typeof value !== 'object' || value === null || types.isDate(value) || types.isRegExp(value)) return value;
  if (types.isNativeError(value)) return new Word(`[${named(value.name)}: ${named(value.message)}]`);
  if (ArrayBuffer.isView(value) || types.isArrayBuffer(value)) return new Word(`${value.constructor.name}(${value.byteLength} bytes)`);
  if (types.isBoxedPrimitive(value)) return abridged(value.valueOf(), depth);
  const opening = Array.isArray(value) ? 'Array' : types.isMap(value) ? 'Map' : types.isSet(value) ? 'Set' : 'Object';
  if (depth < 0) return new Word(`[${opening}]`);
  if (Array.isArray(value)) return first(value.slice(0, MOST.entries + 1), value.length, depth);
  if (types.isSet(value)) return new Set(first(taken(value.values()), value.size, depth));
  if (types.isMap(value)) return new Map(taken(value).map(([key, item]) => [abridged(key, depth - 1), abridged(item, depth - 1)]));
  return object(value, depth);
}

function first(items: readonly unknown[], length: number, depth: number): unknown[] {
  const shown: unknown[] = items.slice(0, MOST.entries).map(item => abridged(item, depth - 1));
  if (length > MOST.entries) shown.push(new Word(`… ${length - MOST.entries} more`));
  return shown;
}

function object(value: object, depth: number): object {
  const shown: Record<string, unknown> = {};
  let entries = 0;
  for (const key in value) {
    if (++entries > MOST.entries) {
      shown['…'] = new Word('more');
      break;
    }
    const name = key.length > MOST.text ? `${key.slice(0, MOST.text)}…` : key;
    Object.defineProperty(shown, name, {
      value: abridged((value as Record<string, unknown>)[key], depth - 1),
      enumerable: true,
      configurable: true,
    });
  }
  return shown;
}

function taken<T>(items: Iterable<T>): T[] {
  const list: T[] = [];
  for (const item of items) {
    if (list.length === MOST.entries) break;
    list.push(item);
  }
  return list;
}

function named(text: unknown): string {
  return typeof text === 'string' ? text.slice(0, MOST.text) : '?';
}
