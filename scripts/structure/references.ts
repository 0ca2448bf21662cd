import type { Offence, Sources } from './check.js';
import { commentsOf } from './comments.js';
import { takeApart } from './source-text.js';

/** Names of other projects that comments mention and no code uses, each with where it is from. */
const FOREIGN: ReadonlySet<string> = new Set([
  // tsyringe
  'injectWithTransform',
  'injectAllWithTransform',
  // Node
  'enterWith',
  'dummyDestroy',
  'setupListenHandle',
  'poolSize',
  'toWeb',
  'DataCloneError',
  // Made up at run time, or in an example
  'level_',
  '_xHH',
  'packet_ts_calls_done_total',
  'evaluate',
]);
/** A name with or without parts and parentheses: `x`, `@OnEnd`, `#x`, `peer.pipe()`. */
const NAME = /^[@#]?([A-Za-z_$][\w$]*(?:\.#?[A-Za-z_$][\w$]*)*)(?:\(\))?$/;
const WORD = /[A-Za-z_$][\w$]*/g;

/** All words of the code and strings of a source, without its comments. */
function wordsOf(text: string): string[] {
  let words = '';
  let at = 0;
  for (const { start, end } of takeApart(text).comments) {
    words += `${text.slice(at, start)} `;
    at = end;
  }
  return (words + text.slice(at)).match(WORD) ?? [];
}

/**
 * R4: what a doc comment names exists: an identifier in backticks is a word of the code or of a string of src/, a class after `Throws` is
 * one, a `@param` is a parameter, and only what returns something says `Returns`.
 */
export function checkReferences(sources: Sources): Offence[] {
  const own = [...sources].filter(([file]) => file.startsWith('src/'));
  const known = new Set(own.flatMap(([, text]) => wordsOf(text)));
  return own.flatMap(([file, text]) =>
    commentsOf(text).flatMap(({ text: said, line, isDoc, declaration }) => {
      if (!isDoc) return [];
      return wrongReferences(said, declaration, known).map((what): Offence => ({
        file,
        line,
        what,
        rule: 'a doc comment agrees with the code behind it (R4)',
        remedy: 'write the name that the code has now; a name of another project goes on the list in scripts/structure/references.ts',
      }));
    }),
  );
}

function wrongReferences(said: string, declaration: string, known: ReadonlySet<string>): string[] {
  const prose = said.replace(/@example[\s\S]*/, '');
  const wrong: string[] = [];
  for (const { 1: quoted = '' } of prose.matchAll(/`([^`\n]+)`/g)) {
    const parts = NAME.exec(quoted)?.[1]?.split('.') ?? [];
    const missing = parts.map(part => part.replace('#', '')).find(part => !known.has(part) && !FOREIGN.has(part));
    if (missing !== undefined) wrong.push(`\`${quoted}\`: there is no ${missing}`);
  }
  for (const { 1: thrown = '' } of prose.matchAll(/(?:\bThrows|@throws) (?:an? )?`?([A-Z]\w*Error)\b/g))
    if (!known.has(thrown) && !FOREIGN.has(thrown)) wrong.push(`throws ${thrown}, which does not exist`);
  for (const { 1: name = '' } of prose.matchAll(/@param ([\w$]+)/g))
    if (!new RegExp(`\\b${name}\\b`).test(declaration)) wrong.push(`@param ${name} is no parameter`);
  if (/^Returns\b/.test(prose) && declaration.trim().endsWith('): void')) wrong.push('says Returns, and returns nothing');
  return wrong;
}
