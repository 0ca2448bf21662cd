import type { Offence, Sources } from './check.js';
import { codeOf, takeApart } from './source-text.js';

const EXPORTED = /^export (?:declare |abstract |async |default )*(?:class|interface|type|function\*?|const|let|enum|namespace) (\w+)/gm;

/** Names of the public contract that two sub-paths give: `Options` is a type of packet-ts, and the decorator of OPTIONS in packet-ts/http. */
const CONTRACT: ReadonlySet<string> = new Set(['Options']);

/** R5: an exported name has one meaning in all of src. Overloads, and a type beside its value in one file, are one meaning. */
export function checkExportedNames(sources: Sources): Offence[] {
  const places = new Map<string, Map<string, number>>();
  for (const [file, text] of sources) {
    if (!file.startsWith('src/')) continue;
    const code = codeOf(text);
    for (const { 1: name = '', index } of code.matchAll(EXPORTED)) {
      const files = places.get(name) ?? new Map<string, number>();
      if (!files.has(file)) files.set(file, code.slice(0, index).split('\n').length);
      places.set(name, files);
    }
  }
  return [...places].flatMap(([name, files]) => {
    if (files.size < 2 || CONTRACT.has(name)) return [];
    const [[file, line] = ['', 0], ...others] = files;
    const what = `${name} is exported by ${others.map(([other]) => other).join(', ')}, too`;
    return [{ file, line, what, rule: 'an exported name has one meaning in all of src (R5)', remedy: 'name one of them for what it is' }];
  });
}

/** The one file that names what Node does not document. */
const INTERNALS = 'src/node-internals.ts';
/** A member with an underscore of an object that is not ours, zod's aside; and Node's symbols. */
const UNDOCUMENTED =
  /(?<!this)(?<!super)\._(?!zod\b)[a-z]\w*|\b_(?:handle|parent|listen2|createServerHandle)\b|\bk[A-Z]\w*Handle\b|\bgetOwnPropertySymbols\b|\bprocess\.binding\b/g;

/** R8: undocumented names of Node stand in one file, with the line of Node's source that each rests on. */
export function checkInternals(file: string, text: string): Offence[] {
  if (file === INTERNALS) return [];
  const rule = `undocumented names of Node stand in ${INTERNALS} only (R8)`;
  const remedy = 'add a function there, with the line of Node that it rests on and what happens where the name is missing';
  let code = text;
  for (const { start, end } of takeApart(text).comments) {
    code = code.slice(0, start) + code.slice(start, end).replaceAll(/[^\n]/g, ' ') + code.slice(end);
  }
  return [...code.matchAll(UNDOCUMENTED)].map(({ 0: found, index }) => {
    return { file, line: code.slice(0, index).split('\n').length, what: `names ${found.replace('.', '')}`, rule, remedy };
  });
}
