import type { DocExample } from './extract.js';

/** Exported names → the module to import them from. */
export type Names = ReadonlyMap<string, string>;

const DECLARED = /\b(?:const|let|class|function|interface|type)\s+([A-Za-z_$][\w$]*)/g;
const EXPORTED = /^export (?:declare )?(?:abstract )?(?:async )?(?:const|class|function|interface|type)\*? ([A-Za-z_$][\w$]*)/gm;
const LISTED = /^export (?:type )?\{([^}]*)\}/gm;

/** Names that a source file exports by itself or passes on by name. */
export function exportsOf(text: string): string[] {
  const listed = [...text.matchAll(LISTED)].flatMap(([, names]) => names!.replace(/\/\/.*$/gm, '').split(','));
  const names = listed
    .map(name =>
      name
        .replace(/^\s*(?:type\s+)?/, '')
        .replace(/^\w+\s+as\s+/, '')
        .trim(),
    )
    .filter(name => name !== '');
  return [...[...text.matchAll(EXPORTED)].map(([, name]) => name!), ...names];
}

/** Code behind the decorators that it begins with, without comments and the text of strings. */
function behindDecorators(code: string): string {
  let rest = code
    .replaceAll(/'[^'\n]*'|"[^"\n]*"/g, "''")
    .replaceAll(/^\s*\/\/.*|(?<=\)) \/\/.*/gm, '')
    .trimStart();
  while (rest.startsWith('@')) {
    rest = rest.replace(/^@\w+/, '');
    let depth = 0;
    let at = 0;
    do {
      if (rest[at] === '(') depth++;
      else if (rest[at] === ')') depth--;
      at++;
    } while (depth > 0 && at < rest.length);
    rest = rest.slice(at).trimStart();
  }
  return rest;
}

/** The code as statements of a module: members stand in a class, properties in an object. */
function statementsOf(code: string): string {
  const decorator = code.search(/^@/m);
  if (decorator > 0 && code.startsWith('const ')) return `${code.slice(0, decorator)}\n${statementsOf(code.slice(decorator))}`;
  const rest = behindDecorators(code);
  if (rest === '') return `${code}\nclass Example {}`;
  const isDecorated = code.startsWith('@');
  if (rest.startsWith('constructor(')) return `class Example {\n${code}\n}`;
  if (/^(?:(?:protected|private|async) |\*)/.test(rest) || (isDecorated && !/^(?:export )?class /.test(rest)))
    return `abstract class Example extends Context {\n${code}\n}`;
  return /^\w+: /.test(rest) ? `export const example = {\n${code}\n};` : code;
}

/** A TypeScript module in which an example compiles: its names are imported, what it leaves out (`{ … }`) is there. */
export function moduleOf({ file, line, code }: DocExample, own: Names, shared: Names): string {
  const filled = code.replaceAll(/(\bclass [\w ]+)\{ … \}/g, '$1{}').replaceAll('{ … }', '{ return undefined as never; }');
  const whole = statementsOf(filled.replaceAll('\u2063', ''));
  const declared = new Set([...whole.matchAll(DECLARED)].map(([, name]) => name!));
  const used = new Set(whole.replaceAll(/\.[A-Za-z_$][\w$]*/g, '').match(/[A-Za-z_$][\w$]*/g) ?? []);
  for (const [, names] of whole.matchAll(/\b(?:import|const|let) [{[]([^}\]]*)[}\]]/g))
    for (const name of names!.split(',')) declared.add(name.trim());
  const imports = [...used].flatMap(name => {
    const from = declared.has(name) ? undefined : (own.get(name) ?? shared.get(name));
    return from === undefined ? [] : [`import { ${name} } from '${from}';`];
  });
  return [`// ${file}:${line}`, ...imports, whole, 'export {};', ''].join('\n');
}
