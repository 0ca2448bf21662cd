import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../../scripts/structure/read-sources.js';

/** A block of code in a page. */
export interface Block {
  readonly language: string;
  /** Path in its first line, written as a comment; undefined: it is no file. */
  readonly file: string | undefined;
  readonly text: string;
}

/** The blocks of code of a page, as a reader copies them. */
export function blocksOf(page: string): Block[] {
  const text = readFileSync(join(ROOT, page), 'utf8');
  return [...text.matchAll(/^```(\w+)\n([^]*?)^```/gm)].map(([, language, code]) => ({
    language: language!,
    file: /^(?:\/\/|#) ([\w./-]+\.\w+)\n/.exec(code!)?.[1],
    text: code!,
  }));
}
