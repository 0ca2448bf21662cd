import type { Offence, Sources } from './check.js';
import { commentsOf } from './comments.js';
import { PEOPLE } from './people.js';
import { codeOf } from './source-text.js';

/** First words that hang on something said elsewhere, or that turn a noun phrase into a riddle. */
const HANGING = /^(?:And|Of|As much|The same|So many|It|What|Who)\b/i;

/** Pronouns of people. */
const PERSONS = /\b(?:who|whom|whoever|whomever|nobody|somebody)\b/i;

/** R1: the first sentence of a comment stands alone. */
export function checkFirstWords(file: string, text: string): Offence[] {
  const rule = 'the first sentence of a comment stands alone: a noun phrase or a verb (R1)';
  const remedy = 'name the thing by the term of its field, or say with a verb what is done';
  return commentsOf(text).flatMap(({ text: said, line }) => {
    const first = HANGING.exec(said.replace(/^[\s@]+/, ''));
    return first ? [{ file, line, what: `a comment begins with '${first[0]}': ${firstLine(said)}`, rule, remedy }] : [];
  });
}

/** R2: who, whom, nobody and somebody are people: `people.ts` has the sentences in which they are. */
export function checkPersons(file: string, text: string): Offence[] {
  const rule = 'who, whom, nobody, somebody are people, never sockets, calls or code (R2)';
  const remedy = 'say which thing it is; where it is a person, add the line to scripts/structure/people.ts';
  const said = file.endsWith('.md') ? proseOf(text) : wordsOf(text);
  return said.split('\n').flatMap((line, index) => {
    const word = PERSONS.exec(line);
    if (!word || PEOPLE.some(sentence => line.includes(sentence))) return [];
    return [{ file, line: index + 1, what: `'${word[0]}': ${line.trim()}`, rule, remedy }];
  });
}

const LIST = 'scripts/structure/people.ts';

/** Entries of `PEOPLE` that stand nowhere any more, if the list itself is among the sources. */
export function checkPeople(sources: Sources): Offence[] {
  if (!sources.has(LIST)) return [];
  const texts = [...sources].filter(([file]) => isRead(file)).map(([, text]) => text);
  return PEOPLE.filter(sentence => !texts.some(text => text.includes(sentence))).map(sentence => ({
    file: LIST,
    line: 1,
    what: `'${sentence}' stands nowhere`,
    rule: 'the list of sentences about people has those that exist (R2)',
    remedy: 'take it off the list',
  }));
}

/** Whether R2 holds there: sources and pages, not specs. */
export function isRead(file: string): boolean {
  return file.startsWith('src/') || file.endsWith('.md');
}

const KEPT: ReadonlySet<string> = new Set(['\n', "'", '`']);

/** Comments and strings, at their lines. A single word in quotes, backticks or between dots is a name. */
function wordsOf(text: string): string {
  const code = codeOf(text);
  let words = '';
  for (let at = 0; at < text.length; at += 1) words += code[at] === text[at] && !KEPT.has(text[at]!) ? ' ' : text[at]!;
  return words.replaceAll(/(['`.])\w+(?=['`.])/g, '$1');
}

/** A page without its code. */
function proseOf(text: string): string {
  return text.replaceAll(/```[\s\S]*?```/g, block => block.replaceAll(/[^\n]/g, '')).replaceAll(/`[^`\n]*`/g, '``');
}

function firstLine(said: string): string {
  return said.split('\n', 1)[0]!.slice(0, 120);
}
