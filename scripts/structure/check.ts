import { posix } from 'node:path';
import { FLOORS, isContract, MAX_LINES, RECURSION, SECRETS } from './floors.js';
import { checkFolders } from './figures.js';
import { checkAborts, checkListeners } from './listeners.js';
import { checkFirstWords, checkPeople, checkPersons, isRead } from './words.js';
import { checkExportedNames, checkInternals } from './names.js';
import { checkReferences } from './references.js';
import { codeOf, importsOf, type ImportLine } from './source-text.js';

/** The files to check: path relative to the project ('src/app/app.ts') → text. */
export type Sources = ReadonlyMap<string, string>;

/** One broken rule. */
export interface Offence {
  readonly file: string;
  readonly line: number;
  /** What stands there. */
  readonly what: string;
  readonly rule: string;
  readonly remedy: string;
}

/** One line per offence: where, what, why not, what to do. */
export function describeOffence({ file, line, what, rule, remedy }: Offence): string {
  return `${file}:${line}: ${what}\n    ${rule}\n    ${remedy}`;
}

/**
 * Checks every rule of the house at once.
 * @example checkStructure(new Map([['src/units.ts', "import './app/app.js';"]]))[0].rule // 'units (floor 1) must not import app (floor 5)'
 */
export function checkStructure(sources: Sources): Offence[] {
  const offences: Offence[] = [];
  const graph = new Map<string, Map<string, ImportLine>>();
  for (const [file, text] of sources) {
    if (!file.endsWith('.md')) offences.push(...checkLength(file, text));
    if (file.startsWith('src/')) {
      const imports = importsOf(text);
      offences.push(
        ...checkFloors(file, imports),
        ...checkSecrets(file, imports),
        ...checkGlobals(file, text, imports),
        ...checkListeners(file, text),
        ...checkAborts(file, text),
        ...checkGlobalTimers(file, text, imports),
        ...checkFirstWords(file, text),
        ...checkInternals(file, text),
      );
      graph.set(file, localImports(file, imports));
    }
    if (isRead(file)) offences.push(...checkPersons(file, text));
    if (file.startsWith('spec/') && !file.startsWith('spec/kit/')) offences.push(...checkTimers(file, text));
  }
  offences.push(
    ...checkCycles(graph),
    ...checkRecursion(sources),
    ...checkFolders(sources),
    ...checkPeople(sources),
    ...checkExportedNames(sources),
    ...checkReferences(sources),
  );
  return offences;
}

/** 'src/wire/link/link.ts' → 'wire', 'src/units.ts' → 'units'. */
function roomOf(file: string): string {
  const [, first = ''] = file.split('/');
  return first.replace(/\.ts$/, '');
}

function floorOf(room: string): number {
  return FLOORS.findIndex(rooms => rooms.includes(room));
}

/** The file that a relative specifier means; undefined for a package. */
function resolve(file: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  return posix.join(posix.dirname(file), specifier).replace(/\.js$/, '.ts');
}

/** Imports of files of src/, of values and of types: files whose types need each other cannot be understood alone either. */
function localImports(file: string, imports: readonly ImportLine[]): Map<string, ImportLine> {
  const targets = new Map<string, ImportLine>();
  for (const line of imports) {
    const target = resolve(file, line.specifier);
    if (target === undefined || targets.has(target)) continue;
    if (line.typeOnly && RECURSION.some(({ from, to }) => from === file && to === target)) continue;
    targets.set(target, line);
  }
  return targets;
}

/** Entries of RECURSION that are no import of types any more. */
function checkRecursion(sources: Sources): Offence[] {
  return RECURSION.filter(({ from, to }) => {
    const text = sources.get(from);
    return text !== undefined && !importsOf(text).some(({ specifier, typeOnly }) => typeOnly && resolve(from, specifier) === to);
  }).map(({ from, to }) => {
    const what = `${from} imports no type of ${to}`;
    return { file: FLOORS_FILE, line: 1, what, rule: 'RECURSION lists imports that exist', remedy: 'take it off the list' };
  });
}

const FLOORS_FILE = 'scripts/structure/floors.ts';

function checkLength(file: string, text: string): Offence[] {
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  const most = file.endsWith('.spec.ts') ? MAX_LINES.spec : MAX_LINES.source;
  if (lines <= most) return [];
  const rule = `a file has at most ${most} lines`;
  return [{ file, line: most + 1, what: `${lines} lines`, rule, remedy: 'cut it where one idea ends and the next begins' }];
}

function checkFloors(file: string, imports: readonly ImportLine[]): Offence[] {
  const room = roomOf(file);
  const floor = floorOf(room);
  if (floor < 0) {
    const remedy = 'add it to FLOORS in scripts/structure/floors.ts, or move the file into a folder that is there';
    return [{ file, line: 1, what: `'${room}' stands on no floor`, rule: 'every folder of src/ has its floor', remedy }];
  }
  const offences: Offence[] = [];
  for (const { specifier, typeOnly, line } of imports) {
    const target = resolve(file, specifier);
    if (target === undefined) continue;
    if (!target.startsWith('src/')) {
      const remedy = 'move what src/ needs into src/';
      offences.push({ file, line, what: `imports ${specifier}`, rule: 'src/ imports nothing from outside src/', remedy });
      continue;
    }
    if (typeOnly && isContract(target.slice('src/'.length))) continue;
    const above = floorOf(roomOf(target));
    if (above <= floor) continue;
    const rule = `${room} (floor ${floor + 1}) must not import ${roomOf(target)} (floor ${above + 1}): arrows point down`;
    const remedy = typeOnly
      ? 'declare the type below, or in a contract: a file named types.ts, …-types.ts or listed in scripts/structure/floors.ts'
      : 'move what is shared down, or let the upper floor pass it in';
    offences.push({ file, line, what: `imports ${specifier}`, rule, remedy });
  }
  return offences;
}

function checkSecrets(file: string, imports: readonly ImportLine[]): Offence[] {
  const room = roomOf(file);
  const offences: Offence[] = [];
  for (const { specifier, typeOnly, line } of imports) {
    const target = resolve(file, specifier);
    if (typeOnly && target !== undefined && isContract(target.slice('src/'.length))) continue;
    const name = target === undefined ? specifier : roomOf(target);
    const secret = SECRETS.find(({ of }) => name === of);
    if (!secret || secret.knownTo.includes(room)) continue;
    offences.push({ file, line, what: `imports ${specifier}`, rule: `${room} must not know ${secret.of}`, remedy: secret.remedy });
  }
  return offences;
}

/** Rooms whose code runs beside a worker's own, which may replace globals; and where the original is imported from. */
const BESIDE_WORKERS: ReadonlySet<string> = new Set(['wire', 'tasks', 'worker-main']);
const REPLACEABLE: ReadonlyMap<string, string> = new Map([
  ['Buffer', 'node:buffer'],
  ['process', 'node:process'],
]);

function checkGlobals(file: string, text: string, imports: readonly ImportLine[]): Offence[] {
  if (!BESIDE_WORKERS.has(roomOf(file))) return [];
  const code = codeOf(text);
  const offences: Offence[] = [];
  const rule = 'nothing global beside the code of a worker, which may replace it';
  for (const [name, module] of REPLACEABLE) {
    const used = new RegExp(`(?<![.#\\w'])${name}(?:\\.\\w|\\()`).exec(code);
    if (!used || imports.some(({ specifier, typeOnly }) => specifier === module && !typeOnly)) continue;
    const line = code.slice(0, used.index).split('\n').length;
    offences.push({ file, line, what: `uses the global ${name}`, rule, remedy: `import it from '${module}'` });
  }
  return offences;
}

/** The one file that reads the globals which test frameworks replace. */
const SYSTEM_TIMERS = 'src/system-timers.ts';
const GLOBAL_TIMERS =
  /(?<![.#\w]|function )(setTimeout|clearTimeout|setInterval|clearInterval|setImmediate|clearImmediate|queueMicrotask)\s*\(|\b(performance\.now|Date\.now|process\.nextTick)\b/g;

function checkGlobalTimers(file: string, text: string, imports: readonly ImportLine[]): Offence[] {
  if (file === SYSTEM_TIMERS) return [];
  const rule = 'the timers and clocks of src/ are those of system-timers.ts, which fake timers do not reach';
  const remedy = `import it from '${SYSTEM_TIMERS.replace('.ts', '.js')}'`;
  const offences = imports
    .filter(({ specifier, typeOnly }) => /^(?:node:)?timers(?:\/promises)?$/.test(specifier) && !typeOnly)
    .map(({ specifier, line }): Offence => ({ file, line, what: `imports ${specifier}`, rule, remedy }));
  if (imports.some(({ specifier }) => resolve(file, specifier) === SYSTEM_TIMERS)) return offences;
  const code = codeOf(text);
  for (const match of code.matchAll(GLOBAL_TIMERS)) {
    const line = code.slice(0, match.index).split('\n').length;
    offences.push({ file, line, what: `uses the global ${match[1] ?? match[2]}`, rule, remedy });
  }
  return offences;
}

/** What a spec may not name: a test that waits for a while instead of for something is slow or wrong. */
const TIMERS = /\b(setTimeout|setInterval)\s*\(|(?:timers\/promises)/g;

function checkTimers(file: string, text: string): Offence[] {
  const offences: Offence[] = [];
  const rule = 'no timers in spec/ outside spec/kit';
  const remedy = 'wait for the event itself: waitFor() of spec/kit, or move a FakeClock';
  const add = (what: string, line: number): void => void offences.push({ file, line, what, rule, remedy });
  const code = codeOf(text);
  for (const match of code.matchAll(TIMERS)) add(match[1]!, code.slice(0, match.index).split('\n').length);
  for (const { specifier, line } of importsOf(text))
    if (/^(?:node:)?timers(?:\/promises)?$/.test(specifier)) add(`imports ${specifier}`, line);
  return offences;
}

/** Each cycle once, told from its first file: depth first, a file on the stack that is met again closes one. */
function checkCycles(graph: ReadonlyMap<string, ReadonlyMap<string, ImportLine>>): Offence[] {
  const offences: Offence[] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    path.push(file);
    for (const [target, { line, specifier }] of graph.get(file) ?? []) {
      const start = path.indexOf(target);
      if (start >= 0) {
        const what = `imports ${specifier}, which closes ${[...path.slice(start), target].map(name => name.slice('src/'.length)).join(' → ')}`;
        offences.push({ file, line, what, rule: 'no circular imports', remedy: 'move what both need into a third file' });
      } else if (!done.has(target)) visit(target);
    }
    path.pop();
    done.add(file);
  };
  for (const file of graph.keys()) if (!done.has(file)) visit(file);
  return offences;
}
