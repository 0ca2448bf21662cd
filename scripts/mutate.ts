/**
 * Changes the compiled code of a folder of src/ in one place at a time, and runs the specs of the same folder: a change that no spec notices
 * survives, and is listed. The seed is printed, and taken back as the third argument.
 * @example npm run mutate -- wire/link · npm run mutate -- workers/queue 50 · npm run mutate -- . 200 1234
 */
import { readdirSync, readFileSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { join } from 'node:path';
import { Random, seedOfRun } from '../spec/kit/random.js';
import { mutantsOf, mutate, shuffled, type Mutant } from './mutants/find.js';
import { ownSpecs } from './mutants/own-specs.js';
import { Sandbox } from './mutants/sandbox.js';
import { ROOT } from './structure/read-sources.js';

const [folder = '.', count = '20', seed = String(seedOfRun())] = process.argv.slice(2);
const COMPILED = join(ROOT, 'dist/src');

/** Compiled files of a folder, or the file of this name, relative to dist/src and without their extension. */
function filesOf(path: string): string[] {
  const all = readdirSync(COMPILED, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.js'));
  return all
    .map(name => name.slice(0, -'.js'.length))
    .filter(name => path === '.' || name === path || name.startsWith(`${path}/`))
    .sort();
}

/** A file as it was when the sample began: what is built meanwhile does not change its places. */
interface Compiled {
  readonly text: string;
  readonly map: SourceMapPayload;
  readonly source: readonly string[];
}

function read(file: string): Compiled {
  const map = JSON.parse(readFileSync(join(COMPILED, `${file}.js.map`), 'utf8')) as SourceMapPayload;
  const source = readFileSync(join(ROOT, 'src', `${file}.ts`), 'utf8').split('\n');
  return { text: readFileSync(join(COMPILED, `${file}.js`), 'utf8'), map, source };
}

/** Where a mutant stands in src/, and the line there. */
function placeOf(file: string, { text, map, source }: Compiled, { start }: Mutant): { place: string; line: string } {
  const before = text.slice(0, start).split('\n');
  const entry = new SourceMap(map).findEntry(before.length - 1, before.at(-1)!.length);
  const number = 'originalLine' in entry ? entry.originalLine + 1 : 0;
  return { place: `src/${file}.ts:${number}`, line: (source[number - 1] ?? '').trim() };
}

function describeChange(text: string, { kind, start, end, replacement }: Mutant): string {
  if (kind === 'call removed' || kind === 'return removed' || kind === 'early return') return kind;
  const brief = (code: string): string => code.replaceAll(/\s+/g, ' ').slice(0, 60);
  return kind === 'condition' ? 'condition turned' : `${kind} ${brief(text.slice(start, end))} → ${brief(replacement) || 'nothing'}`;
}

const sandbox = new Sandbox(ROOT);
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    sandbox.close();
    process.exit(1);
  });

const texts = new Map(filesOf(folder).map(file => [file, read(file)]));
const withoutSpecs = [...texts.keys()].filter(file => ownSpecs(file, sandbox.specs).length === 0);
const all = [...texts].flatMap(([file, compiled]) =>
  withoutSpecs.includes(file) ? [] : mutantsOf(compiled.text).map(mutant => ({ file, compiled, mutant })),
);
if (all.length === 0) {
  sandbox.close();
  throw new Error(`nothing of src/${folder} can be changed that has specs of its own`);
}
console.log(`${all.length} mutants in ${texts.size - withoutSpecs.length} files, seed ${seed}`);
if (withoutSpecs.length > 0) console.log(`without specs of their own: ${withoutSpecs.join(', ')}`);

const survivors: string[] = [];
let done = 0;
try {
  for (const { file, compiled, mutant } of shuffled(all, new Random(Number(seed)))) {
    if (done >= Number(count)) break;
    const changed = mutate(compiled.text, mutant);
    const path = `dist/src/${file}.js`;
    if (!(await sandbox.isProgram(path, changed))) continue;
    done += 1;
    let killer: string | undefined;
    let seconds = 0;
    for (const specs of ownSpecs(file, sandbox.specs)) {
      const outcome = await sandbox.run(path, changed, specs);
      seconds += outcome.seconds;
      if (outcome.passed) continue;
      killer = outcome.why;
      break;
    }
    const { place, line } = placeOf(file, compiled, mutant);
    const told = `${place} ${describeChange(compiled.text, mutant)}: ${line}`;
    if (killer === undefined) survivors.push(told);
    console.log(
      `[${done}/${count}] ${killer === undefined ? 'SURVIVED' : 'killed'} ${told} (${seconds.toFixed(1)} s${killer ? `, ${killer}` : ''})`,
    );
  }
} finally {
  sandbox.close();
}
for (const survivor of survivors) console.log(`survived: ${survivor}`);
console.log(`${done - survivors.length} of ${done} killed (${Math.round((100 * (done - survivors.length)) / done)} %), seed ${seed}`);
