/**
 * Reads TypeScript just well enough to find its imports and comments: the code without what comments and strings say, at the same offsets.
 */

/** A source taken apart; every part has the offsets of the whole. */
export interface SourceText {
  /** The text with comments and the inside of strings, templates and regular expressions blanked out. */
  readonly code: string;
  /** Offsets of the comments, in order. */
  readonly comments: readonly Span[];
}

/** From `start` up to, not including, `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** One import or re-export of a file. */
export interface ImportLine {
  /** As written: './units.js', 'node:net', 'zod'. */
  readonly specifier: string;
  /** `import type`, or every name in the braces is a type. */
  readonly typeOnly: boolean;
  /** From 1. */
  readonly line: number;
}

/** After one of these a slash begins a regular expression, not a division. */
const BEFORE_REGEX = new Set('(,=:[!&|?{};+-*%<>~^\n');
const REGEX_KEYWORD = /\b(?:return|typeof|case|in|of|void|delete|await|yield)$/;

/** The text with comments and the inside of strings, templates and regular expressions blanked out: offsets and lines stay. */
export function codeOf(text: string): string {
  return takeApart(text).code;
}

/** Separates code from comments and from the inside of strings, templates and regular expressions. */
export function takeApart(text: string): SourceText {
  const out = text.replaceAll(/[^\n]/g, ' ').split('');
  /** One entry per `${` that is open: the depth of braces inside it. */
  const templates: number[] = [];
  const comments: Span[] = [];
  let last = '\n';
  let i = 0;

  const keep = (): void => {
    const char = text[i]!;
    out[i] = char;
    if (char.trim() !== '') last = char;
    i += 1;
  };
  const comment = (end: number): void => {
    const start = i;
    i = end < 0 ? text.length : end;
    comments.push({ start, end: i });
  };
  /** Passes a quoted stretch; for a template it stops behind `${`. */
  const quoted = (quote: string): void => {
    while (i < text.length && text[i] !== quote) {
      if (quote === '`' && text[i] === '$' && text[i + 1] === '{') {
        templates.push(0);
        i += 2;
        last = '{';
        return;
      }
      i += text[i] === '\\' ? 2 : 1;
    }
    if (i < text.length) keep();
  };
  const regex = (): void => {
    let inClass = false;
    for (i += 1; i < text.length && text[i] !== '\n'; i += 1) {
      if (text[i] === '\\') i += 1;
      else if (text[i] === '[') inClass = true;
      else if (text[i] === ']') inClass = false;
      else if (text[i] === '/' && !inClass) break;
    }
    i += 1;
    last = '/';
  };

  while (i < text.length) {
    const char = text[i]!;
    const next = text[i + 1];
    if (char === '/' && next === '/') comment(text.indexOf('\n', i));
    else if (char === '/' && next === '*') comment(text.indexOf('*/', i) < 0 ? -1 : text.indexOf('*/', i) + 2);
    else if (char === '/' && (BEFORE_REGEX.has(last) || REGEX_KEYWORD.test(text.slice(Math.max(0, i - 12), i).trimEnd()))) regex();
    else if (char === "'" || char === '"' || char === '`') {
      keep();
      quoted(char);
    } else if (char === '}' && templates.length > 0 && templates.at(-1) === 0) {
      templates.pop();
      i += 1;
      quoted('`');
    } else {
      if (templates.length > 0 && (char === '{' || char === '}')) templates[templates.length - 1]! += char === '{' ? 1 : -1;
      keep();
    }
  }
  return { code: out.join(''), comments };
}

/** Every static, dynamic and type-level import of a file, in order. */
export function importsOf(text: string): ImportLine[] {
  const code = codeOf(text);
  const found: ImportLine[] = [];
  const add = (quoteAt: number, typeOnly: boolean, at: number): void => {
    const end = text.indexOf(text[quoteAt]!, quoteAt + 1);
    found.push({ specifier: text.slice(quoteAt + 1, end), typeOnly, line: text.slice(0, at).split('\n').length });
  };
  // import x from '…' · import '…' · export … from '…'
  for (const match of code.matchAll(/^[ \t]*(?:import|export)\b(?!\s*\()([^;'"`=]*?)(?:\bfrom\s*)?(['"])/gm)) {
    const clause = match[1]!;
    if (match[0].trimStart().startsWith('export') && !/\bfrom\s*['"]$/.test(match[0])) continue;
    add(match.index + match[0].length - 1, isTypeOnly(clause), match.index + match[0].search(/\S/));
  }
  // import('…'), as a value and as a type
  for (const match of code.matchAll(/\bimport\s*\(\s*(['"])/g)) {
    add(match.index + match[0].length - 1, /\btypeof\s*$|[:<|&]\s*$/.test(code.slice(0, match.index)), match.index);
  }
  return found;
}

function isTypeOnly(clause: string): boolean {
  if (/^\s*type\b(?!\s*(?:,|from\b))/.test(clause)) return true;
  const names = /^\s*\{([^}]*)\}/.exec(clause);
  if (!names) return false;
  const list = names[1]!.split(',').filter(name => name.trim() !== '');
  return list.length > 0 && list.every(name => /^\s*type\s/.test(name));
}
