/** One `@example` of a doc comment. */
export interface DocExample {
  readonly file: string;
  /** Line of the `@example`, from 1. */
  readonly line: number;
  readonly code: string;
}

const COMMENT = /\/\*\*[\s\S]*?\*\//g;
/** Tags that end an example; anything else behind an @ is a decorator of its code. */
const TAG = /^@(?:example|param|throws|returns|see|default|deprecated|typeParam|module)\b/;

/** A comment's lines without their stars. */
function linesOf(comment: string): string[] {
  return comment.split('\n').map(line => line.replace(/\*\/\s*$/, '').replace(/^\s*(?:\/\*\*|\*) ?/, ''));
}

/** The examples in the doc comments of one source file, in their order. */
export function examplesIn(file: string, text: string): DocExample[] {
  const examples: DocExample[] = [];
  for (const { 0: comment, index } of text.matchAll(COMMENT)) {
    const first = text.slice(0, index).split('\n').length;
    const lines = linesOf(comment);
    for (let at = 0; at < lines.length; at++) {
      if (!lines[at]!.startsWith('@example')) continue;
      let end = at + 1;
      while (end < lines.length && !TAG.test(lines[end]!)) end++;
      const code = [lines[at]!.slice('@example'.length), ...lines.slice(at + 1, end)].join('\n').trim();
      examples.push({ file, line: first + at, code });
      at = end - 1;
    }
  }
  return examples;
}
