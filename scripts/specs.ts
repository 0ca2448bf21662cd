/**
 * Runs the compiled specs in several mochas side by side, with a line for each: its folders, what passed, how long it took.
 * Files in which something fails are run once more, alone, at the end: what only fails beside others is told as such.
 * With `--each` every file runs alone, and the dearest are listed: what each costs in seconds of a processor, the start of mocha included.
 * @example npm test · npm test -- wire workers/pool · npm run test:long · npm test -- --each field
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { ROOT } from './structure/read-sources.js';

const SPECS = join(ROOT, 'dist/spec');
/** Seconds that each mocha took the last time: the longest begin first. */
const TIMES = join(ROOT, 'dist/.spec-times.json');
/** Lines of a mocha's own output that are shown. */
const SHOWN_LINES = 40;
/** Files that one mocha runs, unless one folder alone has more: its start costs a second of a processor. A long one has its own. */
const FILES_A_RUN = 18;
/** Mochas at once for each processor: while one waits for a timer or a child, another computes. */
const RUNS_PER_PROCESSOR = 1.5;
/** Files that are listed with `--each`. */
const DEAREST = 30;
/** In the unit of /proc/<pid>/stat. */
const TICKS_A_SECOND = 100;

/** What one mocha runs: spec files of one folder or of several small ones. */
interface Unit {
  readonly name: string;
  readonly files: readonly string[];
}

/** One failed test, as mocha's JSON reporter tells of it. */
interface Failure {
  readonly fullTitle: string;
  /** Undefined for a hook of the whole run. */
  readonly file?: string;
  readonly err: { readonly stack?: string; readonly message?: string; readonly expected?: unknown; readonly actual?: unknown };
}

interface Report {
  readonly passes: readonly { readonly file?: string }[];
  readonly failures: readonly Failure[];
}

interface Result extends Report {
  readonly unit: Unit;
  readonly seconds: number;
  /** Seconds of processor time, its child processes included; undefined where the system has no /proc. */
  readonly cpu: number | undefined;
}

/** Folders below dist/spec that have specs of their own, each with its files. */
function foldersBelow(folder: string): Unit[] {
  const entries = readdirSync(folder, { withFileTypes: true });
  const files = entries.filter(({ name }) => name.endsWith('.spec.js')).map(({ name }) => join(folder, name));
  const below = entries.filter(entry => entry.isDirectory()).flatMap(({ name }) => foldersBelow(join(folder, name)));
  return files.length === 0 ? below : [{ name: relative(SPECS, folder) || '.', files }, ...below];
}

function alone(folders: readonly Unit[]): Unit[] {
  return folders.flatMap(({ files }) => files.map(file => ({ name: relative(SPECS, file).replace(/\.spec\.js$/, ''), files: [file] })));
}

/** Neighbouring folders together, up to FILES_A_RUN files. */
function joined(folders: readonly Unit[]): Unit[] {
  const units: Unit[] = [];
  for (const { name, files } of folders) {
    const last = units.at(-1);
    if (last && last.files.length + files.length <= FILES_A_RUN)
      units[units.length - 1] = { name: `${last.name} ${name}`, files: [...last.files, ...files] };
    else units.push({ name, files });
  }
  return units;
}

/** Seconds of processor time of all child processes that have ended. */
function childrenTime(): number | undefined {
  try {
    const stat = readFileSync('/proc/self/stat', 'latin1');
    const [user, system] = stat.slice(stat.lastIndexOf(')')).split(' ').slice(14, 16);
    return (Number(user) + Number(system)) / TICKS_A_SECOND;
  } catch {
    // Not Linux.
    return undefined;
  }
}

function lastTimes(): Record<string, number> {
  try {
    return JSON.parse(readFileSync(TIMES, 'utf8')) as Record<string, number>;
  } catch {
    // The first run, or a file that was cut: every folder is as likely to be the longest.
    return {};
  }
}

const arguments_ = process.argv.slice(2);
const asked = arguments_.filter(argument => !argument.startsWith('--'));
const isLong = arguments_.includes('--long');
const isEach = arguments_.includes('--each');
const reports = mkdtempSync(join(tmpdir(), 'specs-'));
const running = new Set<{ kill: () => void }>();
/** What of childrenTime() belongs to runs that have been told of. */
let toldTime = 0;

function run(unit: Unit, number: number): Promise<Result> {
  const report = join(reports, `${number}.json`);
  const began = performance.now();
  return new Promise(resolve => {
    const timeout = isLong ? ['--timeout', '900000'] : [];
    const reporter = ['--reporter', 'json', '--reporter-option', `output=${report}`];
    const args = ['node_modules/mocha/bin/mocha.js', ...timeout, ...reporter, ...unit.files];
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    const entry = { kill: (): void => void child.kill('SIGTERM') };
    running.add(entry);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    let cpu: number | undefined;
    child.on('exit', () => {
      const all = childrenTime();
      if (all === undefined) return;
      cpu = all - toldTime;
      toldTime = all;
    });
    child.on('close', (code, signal) => {
      running.delete(entry);
      const seconds = (performance.now() - began) / 1000;
      const lines = output.split('\n').filter(line => line.trim() !== '');
      for (const line of lines.slice(-SHOWN_LINES)) console.log(`    ${line}`);
      resolve({ unit, seconds, cpu, ...readReport(report, unit, signal ?? code) });
    });
  });
}

/** What mocha wrote; a run that ended without a report has failed as a whole. */
function readReport(file: string, { name }: Unit, end: number | string | null): Report {
  try {
    const { passes, failures } = JSON.parse(readFileSync(file, 'utf8')) as Report;
    if (failures.length > 0 || end === 0) return { passes, failures };
    return { passes, failures: [{ fullTitle: name, err: { message: `mocha ended with ${end}` } }] };
  } catch {
    return { passes: [], failures: [{ fullTitle: name, err: { message: `mocha ended with ${end} and wrote no report` } }] };
  }
}

function tell({ unit, passes, failures, seconds, cpu }: Result, place: string): void {
  const failed = failures.length > 0 ? `, ${failures.length} FAILED` : '';
  const processor = cpu === undefined ? '' : `, ${cpu.toFixed(1)} s of a processor`;
  console.log(`${place} ${unit.name}: ${passes.length} passed${failed} (${seconds.toFixed(1)} s${processor})`);
}

/** The files of failed tests; all of the run's where a failure belongs to none of them. */
function failedFiles({ unit, failures }: Result): readonly string[] {
  const files = unit.files.filter(path => failures.some(({ file }) => file === path));
  return failures.every(({ file }) => file !== undefined && files.includes(file)) ? files : unit.files;
}

const isAsked = ({ name }: Unit): boolean =>
  asked.length === 0 || asked.some(path => [path, `long/${path}`].some(folder => name === folder || name.startsWith(`${folder}/`)));
const isOfThisRun = ({ name }: Unit): boolean => (name === 'long' || name.startsWith('long/')) === isLong;
const times = lastTimes();
const folders = foldersBelow(SPECS).filter(folder => isOfThisRun(folder) && isAsked(folder));
const units = (isLong || isEach ? alone : joined)(folders).sort(
  (a, b) => (times[b.name] ?? Infinity) - (times[a.name] ?? Infinity) || b.files.length - a.files.length,
);
if (units.length === 0) throw new Error(`no specs below dist/spec are called ${asked.join(', ')}`);

const results: Result[] = [];
const waiting = [...units];
let begun = 0;
const began = performance.now();

async function slot(): Promise<void> {
  for (let unit = waiting.shift(); unit; unit = waiting.shift()) {
    const result = await run(unit, ++begun);
    results.push(result);
    tell(result, `[${results.length}/${units.length}]`);
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    for (const { kill } of running) kill();
    rmSync(reports, { recursive: true, force: true });
    process.exit(1);
  });

const slots = isLong ? availableParallelism() : Math.ceil(availableParallelism() * RUNS_PER_PROCESSOR);
await Promise.all(Array.from({ length: slots }, slot));

const final: Result[] = [];
for (const result of results) {
  if (result.failures.length === 0) {
    final.push(result);
    continue;
  }
  for (const { fullTitle, err } of result.failures) console.log(`failed beside others: ${fullTitle}\n${err.message ?? ''}`);
  const files = failedFiles(result);
  const again = await run({ name: files.map(file => relative(SPECS, file)).join(' '), files }, ++begun);
  tell(again, '[alone]');
  for (const { fullTitle } of result.failures)
    if (!again.failures.some(failure => failure.fullTitle === fullTitle)) console.log(`passed alone: ${fullTitle}`);
  const kept = result.passes.filter(({ file }) => file === undefined || !files.includes(file));
  final.push({ ...result, passes: [...kept, ...again.passes], failures: again.failures });
}

const failures = final.flatMap(result => result.failures);
for (const [i, { fullTitle, err }] of failures.entries()) {
  console.log(`\n${i + 1}) ${fullTitle}\n${err.stack ?? err.message ?? ''}`);
  if (err.expected !== undefined) console.log(`expected: ${String(err.expected)}\nactual: ${String(err.actual)}`);
}
const seconds = Object.fromEntries(final.map(({ unit, seconds: took }) => [unit.name, took]));
writeFileSync(TIMES, JSON.stringify({ ...times, ...seconds }));
rmSync(reports, { recursive: true });

if (isEach) {
  console.log('\nthe dearest:');
  const dearest = results.toSorted((a, b) => (b.cpu ?? 0) - (a.cpu ?? 0)).slice(0, DEAREST);
  for (const { unit, cpu = 0 } of dearest) console.log(`${cpu.toFixed(1).padStart(7)} s ${unit.name}`);
}
const minutes = (performance.now() - began) / 60_000;
if (toldTime > 0) console.log(`\n${toldTime.toFixed(0)} s of a processor`);
console.log(`\n  ${final.reduce((sum, { passes }) => sum + passes.length, 0)} passing (${minutes.toFixed(1)}m)`);
if (failures.length > 0) console.log(`  ${failures.length} failing`);
process.exitCode = failures.length > 0 ? 1 : 0;
