import { takeApart } from './source-text.js';

/** A comment of a source, without its stars and slashes. */
export interface Comment {
  /** What it says; lines are separated by '\n'. */
  readonly text: string;
  /** From 1. */
  readonly line: number;
  /** It is written as a doc comment. */
  readonly isDoc: boolean;
  /** The code behind it, up to the end of what it documents: outside of parentheses, a `{` or `;`, a line's end after a `,`, or an empty line. */
  readonly declaration: string;
}

/** All comments of a source. Line comments that follow each other without code between them are one. */
export function commentsOf(text: string): Comment[] {
  const { code, comments } = takeApart(text);
  const found: Comment[] = [];
  let lastEnd = -1;
  for (const { start, end } of comments) {
    const raw = text.slice(start, end);
    const isLine = raw.startsWith('//');
    const said = isLine ? raw.slice(2).trim() : blockText(raw);
    const before = found.at(-1);
    const alone = code.slice(code.lastIndexOf('\n', start) + 1, start).trim() === '';
    if (isLine && before && !before.isDoc && alone && lastEnd >= 0 && /^\n[ \t]*$/.test(text.slice(lastEnd, start))) {
      found[found.length - 1] = { ...before, text: `${before.text}\n${said}` };
    } else {
      const line = text.slice(0, start).split('\n').length;
      found.push({ text: said, line, isDoc: raw.startsWith('/**'), declaration: declarationAt(code, end) });
    }
    lastEnd = isLine && (alone || lastEnd >= 0) && alone ? end : -1;
  }
  return found;
}

function blockText(raw: string): string {
  return raw
    .replace(/^\/\*+/, '')
    .replace(/\*+\/$/, '')
    .split('\n')
    .map(line => line.replace(/^\s*\*? ?/, ''))
    .join('\n')
    .trim();
}

function declarationAt(code: string, from: number): string {
  const rest = code.slice(from, from + 2_000).trimStart();
  let depth = 0;
  for (let at = 0; at < rest.length; at += 1) {
    const char = rest[at]!;
    if (char === '(' || char === '[') depth += 1;
    else if (char === ')' || char === ']') depth -= 1;
    if (depth < 0 || (depth === 0 && /^(?:[{;]|,[ \t]*\n|\n[ \t]*\n)/.test(rest.slice(at, at + 40)))) return rest.slice(0, at);
  }
  return rest;
}
