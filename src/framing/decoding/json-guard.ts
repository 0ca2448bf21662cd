/** JSON text may spell each character of a key as an escape, so any escape of '_' or a letter is worth the look. */
const SUSPECT = /__proto__|"constructor"|\\u00[567]/;

/**
 * Whether the document has a key that changes prototypes when objects are merged: `__proto__`, or `prototype` inside `constructor`.
 * The document is walked only when its text gives reason to.
 */
export function poisonous(text: string, document: unknown): boolean {
  if (!SUSPECT.test(text)) return false;
  const open: unknown[] = [document];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value !== 'object' || value === null) continue;
    if (Object.hasOwn(value, '__proto__')) return true;
    if (Object.hasOwn(value, 'constructor') && hasPrototypeKey((value as Record<'constructor', unknown>).constructor)) return true;
    for (const inner of Object.values(value)) if (typeof inner === 'object' && inner !== null) open.push(inner);
  }
  return false;
}

function hasPrototypeKey(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, 'prototype');
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;

/** As in structured values: deeper ones would overflow the stack of code that walks them. */
const MAX_DEPTH = 100;
/** Objects, arrays and keys that a message may have in any case, and the bytes of `maxMessageSize` that each further one takes. */
const PARTS = 100_000;
const BYTES_A_PART = 16;
/** Where a message may have any size. */
const MOST_PARTS = 2 ** 30;

/**
 * How many objects, arrays and keys a message of at most `limit` bytes may have. Each takes up to a microsecond to build and a hundred
 * bytes of heap, and may take three bytes of the message: one of 1 MB could hold the event loop for half a second.
 */
export function mostParts(limit: number): number {
  return Math.min(MOST_PARTS, Math.max(PARTS, Math.floor(limit / BYTES_A_PART)));
}

/**
 * Why this JSON text must not be parsed: it is nested too deep, or has more than `most` objects, arrays and keys. Looks at the text, before
 * anything is built from it.
 */
export function excessOf(text: string, most: number): string | undefined {
  // Each level and each part takes a character.
  if (text.length <= MAX_DEPTH) return undefined;
  let depth = 0;
  let parts = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text.charCodeAt(i);
    if (character === QUOTE) {
      i = endOfString(text, i);
      // Unterminated: not JSON, and for the parser to say so.
      if (i < 0) return undefined;
    } else if (character === 0x5b || character === 0x7b) {
      if (++depth > MAX_DEPTH) return `nested deeper than ${MAX_DEPTH} levels`;
      parts++;
    } else if (character === 0x5d || character === 0x7d) depth--;
    else if (character === COLON) parts++;
  }
  if (parts <= most) return undefined;
  return `of more than ${most} objects, arrays and keys (${PARTS}, or one for ${BYTES_A_PART} bytes of maxMessageSize)`;
}

/** The closing quote of the string that opens at `open`; -1 when there is none. */
function endOfString(text: string, open: number): number {
  for (let end = text.indexOf('"', open + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let escapes = end - 1;
    while (text.charCodeAt(escapes) === BACKSLASH) escapes--;
    // An even number of backslashes are escaped backslashes.
    if ((end - escapes) % 2 === 1) return end;
  }
  return -1;
}
