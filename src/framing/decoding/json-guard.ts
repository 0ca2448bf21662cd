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

/** Whether arrays and objects are nested more than `limit` deep in this JSON text. Looks at the text, before anything is built from it. */
export function deeperThan(text: string, limit: number): boolean {
  // Each level takes an opening character.
  if (text.length <= limit) return false;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text.charCodeAt(i);
    if (character === QUOTE) {
      i = endOfString(text, i);
      // Unterminated: not JSON, and for the parser to say so.
      if (i < 0) return false;
    } else if (character === 0x5b || character === 0x7b) {
      if (++depth > limit) return true;
    } else if (character === 0x5d || character === 0x7d) depth--;
  }
  return false;
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
