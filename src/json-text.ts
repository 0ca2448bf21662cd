import { types } from 'node:util';

/** Whether JSON writes it as `{}` whatever is in it. Objects with keys of their own, and those with `toJSON`, are written by these. */
function isLost(value: object): boolean {
  if (Array.isArray(value) || types.isBoxedPrimitive(value) || types.isTypedArray(value) || Object.keys(value).length > 0) return false;
  if (Symbol.iterator in value || Symbol.asyncIterator in value || 'then' in value) return true;
  return (
    types.isRegExp(value) ||
    types.isNativeError(value) ||
    types.isAnyArrayBuffer(value) ||
    types.isDataView(value) ||
    types.isWeakMap(value) ||
    types.isWeakSet(value)
  );
}

function kindOf(value: object): string {
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  return tag === 'Object' ? value.constructor.name : tag;
}

/** Where the first value is that is lost, and of which kind. */
function firstLost(root: unknown): string | undefined {
  const paths = new WeakMap<object, string>();
  let lost: string | undefined;
  JSON.stringify(root, function look(this: object, key: string, value: unknown) {
    if (lost !== undefined || typeof value !== 'object' || value === null) return undefined;
    const above = paths.get(this);
    const path = above === undefined ? '' : above === '' ? key : `${above}.${key}`;
    paths.set(value, path);
    if (isLost(value)) lost = path === '' ? kindOf(value) : `${kindOf(value)} at ${path}`;
    return value;
  });
  return lost;
}

/**
 * A value as JSON. Refused is what JSON would write as nothing or as `{}` without a word: undefined, a function or a symbol at the top; Map,
 * Set and other iterables, promises, regular expressions, errors without keys and memory wherever they are. What `toJSON` makes of a value
 * counts. Below the top, functions and undefined are left out and NaN is null, as everywhere with JSON.
 *
 * It is looked for only where the text has a `{}` in it, so that ordinary values cost nothing.
 * @param refused makes the error, of what was found and where.
 * @throws what `refused` makes; TypeError for a BigInt and for a cycle, as JSON.stringify does.
 */
export function jsonText(value: unknown, refused: (what: string) => Error): string {
  const text: unknown = JSON.stringify(value);
  if (typeof text !== 'string') throw refused(typeof value);
  const lost = text.includes('{}') ? firstLost(value) : undefined;
  if (lost !== undefined) throw refused(lost);
  return text;
}
