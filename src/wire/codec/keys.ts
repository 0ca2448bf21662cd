/** Texts of recently read keys, by a hash of their bytes: a key costs no new string, and a hit is found interned. */
const RECENT: string[] = new Array<string>(2048).fill('');

/** How many texts were not among them, since it was set. */
export const missed = { keys: 0 };

/** The latin1 text of `length` bytes at `start`. */
export function keyText(buf: Buffer, start: number, length: number): string {
  let hash = length;
  for (let i = 0; i < length; i++) hash = (Math.imul(hash, 31) + buf[start + i]!) | 0;
  const slot = (hash ^ (hash >>> 11)) & 2047;
  const known = RECENT[slot]!;
  if (known.length === length && matches(known, buf, start)) return known;
  missed.keys++;
  return (RECENT[slot] = buf.toString('latin1', start, start + length));
}

function matches(text: string, buf: Buffer, start: number): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== buf[start + i]) return false;
  return true;
}

/** `object[key] = value` that never meets a setter or a prototype. */
export function defineOwn(object: object, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, configurable: true, enumerable: true, writable: true });
}

/** A valid index that no honest object has; below the one from which on V8 never uses a plain array for elements again. */
const FAR = '500000000';

/**
 * Sets a property whose key begins with a digit. For keys that are indices V8 may lay out an array up to the largest of them,
 * so that `{"1000": 0}` takes 12 KB: unless the indices are dense, the object is made a dictionary first.
 * @param nth how many such keys the object has already
 */
export function setIndexed(object: Record<string, unknown>, key: string, value: unknown, nth: number): void {
  if (Number(key) > 2 + nth * 2) makeDictionary(object);
  object[key] = value;
}

/** Whether a key begins with a digit: it may be an index. */
export function isIndexed(key: string): boolean {
  const first = key.charCodeAt(0);
  return first >= 0x30 && first <= 0x39;
}

/** Has V8 keep the indices of an object in a dictionary, however far they are apart. */
export function makeDictionary(object: object): void {
  if (FAR in object) return;
  Reflect.set(object, FAR, undefined);
  Reflect.deleteProperty(object, FAR);
}
