/** Characters that some terminal or log reader obeys: C0 and C1 controls, line separators, marks that reorder text. */
const UNPRINTABLE = /[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu;
/** Unprintable characters, except the line feed. */
const UNPRINTABLE_IN_LINES = /(?!\n)[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu;

/** At most `most` characters of a text, on one line; characters that a terminal obeys are written as escapes. */
export function printable(text: string, most: number): string {
  return cut(text, most).replaceAll(UNPRINTABLE, escapeOf);
}

/** At most `most` characters of a text that may have several lines; other characters that a terminal obeys are written as escapes. */
export function printableLines(text: string, most: number): string {
  return cut(text, most).replaceAll(UNPRINTABLE_IN_LINES, escapeOf);
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most)}… (${text.length} characters)`;
}

function escapeOf(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
