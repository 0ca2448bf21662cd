import { EventEmitter } from 'node:events';
import { types } from 'node:util';
import { MessagePort } from 'node:worker_threads';
import { NotCloneableError, oneLine } from '../../errors.js';
import { messageOf } from '../../errors/packet-error.js';
import { isDetached } from '../../transfer.js';
import { isLongKey, KeyGuard, LongKeys } from './dear-values.js';
import { MAX_REGEXP_SOURCE, regExpPadding, regExpParts } from './regexps.js';
import { MAX_DEPTH, VIEW_TYPES } from './tags.js';

/**
 * Why an object that is no plain object, array, collection, date, regular expression, error or piece of memory cannot be copied;
 * undefined: its own enumerable properties are copied, as structuredClone does with instances of classes.
 */
export function whyNotCloneable(value: object): string | undefined {
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
export function hasForbiddenKeys(collection: ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>): boolean {
  const guard = new KeyGuard(collection.size);
  for (const key of collection.keys()) if (!guard.admit(key)) return true;
  return false;
}

/** Thrown inside the encoder for a port, or for memory, that cannot be moved. */
export class Unmovable extends Error {
  readonly thing: object;

  constructor(thing: object, cause: unknown) {
    super(messageOf(cause), { cause });
    this.thing = thing;
  }
}

/**
 * The error for a value that the encoder refused: walks it a second time, with the path in hand. Only failures pay for it.
 * `failure` is what the encoder ran into, for values that answer differently the second time; `sent`: what the encoder would have sent.
 */
export function notCloneable(value: unknown, root: string, failure: unknown, sent: Sent = {}): NotCloneableError {
  let found: Found | undefined;
  try {
    found = new Search(sent, failure instanceof Unmovable ? failure : undefined).find(value);
  } catch {
    // A proxy that throws only now and then: the first failure says enough.
  }
  if (found === undefined) return new NotCloneableError(root, thrown('a value that cannot be read', failure));
  return new NotCloneableError(root + found.path.join(''), found.what);
}

/** Kinds of objects that only some encoders send. */
interface Sent {
  readonly regExps?: boolean;
  /** Shared memory and ports. */
  readonly shares?: boolean;
}

interface Found {
  readonly path: readonly string[];
  readonly what: string;
}

/** The walk through one value to what cannot be copied in it. */
class Search {
  readonly #regExps: boolean;
  readonly #shares: boolean;
  readonly #unmovable: Unmovable | undefined;
  readonly #seen = new Set<object>();
  readonly #names = new LongKeys();
  readonly #path: string[] = [];

  constructor({ regExps = true, shares = false }: Sent, unmovable: Unmovable | undefined) {
    this.#regExps = regExps;
    this.#shares = shares;
    this.#unmovable = unmovable;
  }

  find(value: unknown): Found | undefined {
    if (typeof value === 'function') return this.#here(value.name === '' ? 'a function' : `a function (${oneLine(value.name)})`);
    if (typeof value === 'symbol') return this.#here(`a symbol (${oneLine(value.description ?? '')})`);
    if (typeof value !== 'object' || value === null || this.#seen.has(value)) return undefined;
    this.#seen.add(value);
    if (this.#path.length > MAX_DEPTH - 1) return this.#here(`nested deeper than ${MAX_DEPTH} levels`);
    if (!this.#shares && ArrayBuffer.isView(value) && types.isSharedArrayBuffer(value.buffer))
      return this.#here('a view of a SharedArrayBuffer: send a copy of what is in it');
    if (ArrayBuffer.isView(value)) return this.#view(value);
    if (types.isArrayBuffer(value)) return this.#memory(value);
    if (types.isDate(value)) return undefined;
    if (types.isRegExp(value)) return this.#regExp(value);
    if (this.#shares && types.isSharedArrayBuffer(value)) return undefined;
    if (this.#shares && value instanceof MessagePort)
      return value === this.#unmovable?.thing ? this.#here('a MessagePort that was closed or passed on already') : undefined;
    if (types.isSharedArrayBuffer(value)) return this.#here('a SharedArrayBuffer');
    if (types.isBoxedPrimitive(value)) return types.isSymbolObject(value) ? this.#here('a boxed symbol') : undefined;
    // Errors are copied without the parts that cannot be, so that the error itself arrives.
    if (types.isNativeError(value) || value instanceof Error) return undefined;
    if ((types.isMap(value) || types.isSet(value)) && hasForbiddenKeys(value)) return this.#here('a collection whose keys collide');
    if (types.isMap(value)) return this.#inMap(value);
    if (types.isSet(value)) return this.#inSet(value);
    return this.#inProperties(value);
  }

  #here(what: string): Found {
    return { path: [...this.#path], what };
  }

  #view(view: ArrayBufferView): Found | undefined {
    return viewType(view) < 0 ? this.#here('a view of a kind that is not known') : this.#memory(view.buffer);
  }

  #memory(buffer: ArrayBufferLike): Found | undefined {
    if (isDetached(buffer)) return this.#here('memory that was moved away already');
    return buffer === this.#unmovable?.thing ? this.#here(thrown('memory that cannot be moved', this.#unmovable)) : undefined;
  }

  #below(step: string, value: unknown): Found | undefined {
    this.#path.push(step);
    const found = this.find(value);
    if (found === undefined) this.#path.pop();
    return found;
  }

  #regExp(value: RegExp): Found | undefined {
    if (!this.#regExps) return this.#here('a regular expression: send its source and flags');
    const { source, flags } = regExpParts(value);
    if (regExpPadding(source, flags) !== undefined) return undefined;
    if (source.length > MAX_REGEXP_SOURCE)
      return this.#here(`a regular expression of more than ${MAX_REGEXP_SOURCE} characters: send its source and flags`);
    return this.#here('a regular expression whose flag v makes it dear to build: send its source and flags');
  }

  #inProperties(value: object): Found | undefined {
    const isArray = Array.isArray(value);
    const what = isArray ? undefined : whyNotCloneable(value);
    if (what !== undefined) return this.#here(what);
    for (const key of Object.keys(value)) {
      if (isLongKey(key) && !this.#names.admit(key)) return this.#here('an object with too many property names of the same great length');
      const step = isArray ? `[${key}]` : /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
      let child: unknown;
      try {
        child = (value as Record<string, unknown>)[key];
      } catch (error) {
        this.#path.push(step);
        return this.#here(thrown('a getter that throws', error));
      }
      const found = this.#below(step, child);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #inMap(map: ReadonlyMap<unknown, unknown>): Found | undefined {
    let index = 0;
    for (const [key, item] of map) {
      const step = `.get(${typeof key === 'string' ? JSON.stringify(key) : typeof key === 'object' ? '…' : String(key)})`;
      const found = this.#below(`.keys[${index++}]`, key) ?? this.#below(step, item);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #inSet(set: ReadonlySet<unknown>): Found | undefined {
    let index = 0;
    for (const item of set) {
      const found = this.#below(`.values[${index++}]`, item);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

function named(value: object): string {
  const name = (Object.getPrototypeOf(value) as { constructor?: { name?: unknown } } | null)?.constructor?.name;
  return typeof name === 'string' && name !== '' ? `${article(name)} ${oneLine(name)}` : 'an object';
}

function article(noun: string): string {
  return /^[AEIO]/i.test(noun) ? 'an' : 'a';
}

function thrown(what: string, error: unknown): string {
  const message = messageOf(error);
  return message === '' ? what : `${what} (${message})`;
}
