import { EventEmitter } from 'node:events';
import { types } from 'node:util';
import { NotCloneableError, oneLine } from '../errors.js';
import { KeyGuard } from './collisions.js';
import { MAX_DEPTH, VIEW_TYPES } from './tags.js';

/**
 * Why an object that is no plain object, array, collection, date, regular expression, error or piece of memory cannot be copied;
 * undefined: its own enumerable properties are copied, as structuredClone does with instances of classes.
 */
export function refusal(value: object): string | undefined {
  if (types.isPromise(value)) return 'a Promise';
  if (value instanceof EventEmitter) return `${named(value)} (an event emitter)`;
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  // URL, WeakMap, AbortSignal, ReadableStream, iterators, Intl …: what they hold is not in properties, so nothing of it would arrive.
  if (tag !== 'Object' && Object.keys(value).length === 0) return `${article(tag)} ${tag}`;
  return undefined;
}

/** The type of a view on the wire, negative for one that has none. Views of another context have other constructors, but the same names. */
export function viewType(value: ArrayBufferView): number {
  const name = Object.prototype.toString.call(value).slice(8, -1);
  return VIEW_TYPES.findIndex(type => type.name === name);
}

/** Whether the receiving side would take its keys for an attack. */
export function collides(collection: ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>): boolean {
  const guard = KeyGuard.for(collection.size);
  if (guard === undefined) return false;
  for (const key of collection.keys()) if (!guard.admit(key)) return true;
  return false;
}

/**
 * The error for a value that the encoder refused: walks it a second time, with the path in hand. Only failures pay for it.
 * `failure` is what the encoder ran into, for values that answer differently the second time.
 */
export function notCloneable(value: unknown, root: string, failure: unknown): NotCloneableError {
  let found: Found | undefined;
  try {
    found = find(value, [], new Set());
  } catch {
    // A proxy that throws only now and then: the first failure says enough.
  }
  if (found === undefined) return new NotCloneableError(root, thrown('a value that cannot be read', failure));
  return new NotCloneableError(root + found.path.join(''), found.what);
}

interface Found {
  readonly path: readonly string[];
  readonly what: string;
}

function find(value: unknown, path: string[], seen: Set<object>): Found | undefined {
  if (typeof value === 'function')
    return { path: [...path], what: value.name === '' ? 'a function' : `a function (${oneLine(value.name)})` };
  if (typeof value === 'symbol') return { path: [...path], what: `a symbol (${oneLine(value.description ?? '')})` };
  if (typeof value !== 'object' || value === null || seen.has(value)) return undefined;
  seen.add(value);
  if (path.length > MAX_DEPTH - 1) return { path: [...path], what: `nested deeper than ${MAX_DEPTH} levels` };
  if (ArrayBuffer.isView(value)) return viewType(value) < 0 ? { path: [...path], what: 'a view of a kind that is not known' } : undefined;
  if (types.isArrayBuffer(value) || types.isDate(value) || types.isRegExp(value)) return undefined;
  if (types.isSharedArrayBuffer(value)) return { path: [...path], what: 'a SharedArrayBuffer' };
  if (types.isBoxedPrimitive(value)) return types.isSymbolObject(value) ? { path: [...path], what: 'a boxed symbol' } : undefined;
  // What cannot be copied in an error is left out there, so that the error itself arrives.
  if (types.isNativeError(value) || value instanceof Error) return undefined;
  if ((types.isMap(value) || types.isSet(value)) && collides(value)) return { path: [...path], what: 'a collection whose keys collide' };
  if (types.isMap(value)) return findInMap(value, path, seen);
  if (types.isSet(value)) return findInSet(value, path, seen);
  if (!Array.isArray(value)) {
    const what = refusal(value);
    if (what !== undefined) return { path: [...path], what };
  }
  for (const key of Object.keys(value)) {
    path.push(Array.isArray(value) ? `[${key}]` : /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`);
    let child: unknown;
    try {
      child = (value as Record<string, unknown>)[key];
    } catch (error) {
      return { path: [...path], what: thrown('a getter that throws', error) };
    }
    const found = find(child, path, seen);
    if (found !== undefined) return found;
    path.pop();
  }
  return undefined;
}

function findInMap(map: ReadonlyMap<unknown, unknown>, path: string[], seen: Set<object>): Found | undefined {
  let index = 0;
  for (const [key, item] of map) {
    path.push(`.keys[${index++}]`);
    const foundKey = find(key, path, seen);
    if (foundKey !== undefined) return foundKey;
    path[path.length - 1] = `.get(${typeof key === 'string' ? JSON.stringify(key) : typeof key === 'object' ? '…' : String(key)})`;
    const found = find(item, path, seen);
    if (found !== undefined) return found;
    path.pop();
  }
  return undefined;
}

function findInSet(set: ReadonlySet<unknown>, path: string[], seen: Set<object>): Found | undefined {
  let index = 0;
  for (const item of set) {
    path.push(`.values[${index++}]`);
    const found = find(item, path, seen);
    if (found !== undefined) return found;
    path.pop();
  }
  return undefined;
}

function named(value: object): string {
  const name = (Object.getPrototypeOf(value) as { constructor?: { name?: unknown } } | null)?.constructor?.name;
  return typeof name === 'string' && name !== '' ? `${article(name)} ${oneLine(name)}` : 'an object';
}

function article(noun: string): string {
  return /^[AEIO]/i.test(noun) ? 'an' : 'a';
}

function thrown(what: string, error: unknown): string {
  return error instanceof Error ? `${what} (${oneLine(error.message)})` : what;
}
