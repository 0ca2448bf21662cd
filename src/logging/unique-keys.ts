/** Keys that pino writes by itself. */
const OWN = ['level', 'time', 'pid', 'hostname'] as const;
/** Key of the message, the second argument. */
const MESSAGE = 'msg';

/** Keys that a logger writes by itself: JSON must not have one of them twice. */
export type TakenKeys = ReadonlySet<string>;

/** Those of a logger that tells its bindings, as pino does. */
export function takenKeysOf(logger: object): TakenKeys {
  let bindings: unknown;
  try {
    bindings = (logger as { bindings?(): unknown }).bindings?.();
  } catch {
    // Another logger's method of that name.
  }
  return new Set([...OWN, ...Object.keys(typeof bindings === 'object' && bindings !== null ? bindings : {})]);
}

/** Adds the keys of bindings. */
export function withKeys(taken: TakenKeys, bindings: object): TakenKeys {
  return new Set([...taken, ...Object.keys(bindings)]);
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/**
 * The object with those of its keys renamed that are taken: `level` is `level_`. The object itself where there are none.
 * @param hasMessage a message is logged with it
 */
export function uniqueKeys(object: unknown, taken: TakenKeys, hasMessage: boolean): unknown {
  if (!isPlain(object)) return object;
  const isTaken = (key: string): boolean => taken.has(key) || (hasMessage && key === MESSAGE);
  const keys = Object.keys(object);
  if (!keys.some(isTaken)) return object;
  const renamed: Record<string, unknown> = {};
  for (const key of keys) {
    let free = key;
    while (isTaken(free) || Object.hasOwn(renamed, free) || (free !== key && Object.hasOwn(object, free))) free += '_';
    renamed[free] = object[key];
  }
  return renamed;
}
