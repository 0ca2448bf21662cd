/**
 * Runs the compiled specs, folder by folder, as many folders at once as there are processors, with a line for each.
 * A folder in which something fails is run once more by itself at the end: what only fails beside others is told as such.
 * @example npm test · npm test -- wire workers/pool · npm run test:long
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { ROOT } from './structure/read-sources.js';

const SPECS = join(ROOT, 'dist/spec');
/** Seconds that each folder took the last time: the longest begin first. */
const TIMES = join(ROOT, 'dist/.spec-times.json');
/** Lines of a folder's own output that are shown. */
const SHOWN_LINES = 40;

interface Unit {
  readonly name: string;
  readonly files: readonly string[];
}

/** One failed test, as mocha's JSON reporter tells of it. */
interface Failure {
  readonly fullTitle: string;
  readonly err: { readonly stack?: string; readonly message?: string; readonly expected?: unknown; readonly actual?: unknown };
}

interface Result {
  readonly unit: Unit;
  readonly passed: number;
  readonly failures: readonly Failure[];
  readonly seconds: number;
}

/** Folders below dist/spec that have specs of their own, each with its files. */
function unitsBelow(folder: string): Unit[] {
  const entries = readdirSync(folder, { withFileTypes: true });
  const files = entries.filter(({ name }) => name.endsWith('.spec.js')).map(({ name }) => join(folder, name));
  const below = entries.filter(entry => entry.isDirectory()).flatMap(({ name }) => unitsBelow(join(folder, name)));
  return files.length === 0 ? below : [{ name: relative(SPECS, folder) || '.', files }, ...below];
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
const reports = mkdtempSync(join(tmpdir(), 'specs-'));
const running = new Set<{ kill: () => void }>();

function run(unit: Unit, number: number): Promise<Result> {
  const report = join(reports, `${number}.json`);
  const began = performance.now();
  return new Promise(resolve => {
    const timeout = isLong ? ['--timeout', '900000'] : [];
    const args = [
      'node_modules/mocha/bin/mocha.js',
      ...timeout,
      '--reporter',
      'json',
      '--reporter-option',
      `output=${report}`,
      ...unit.files,
    ];
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    const entry = { kill: (): void => void child.kill('SIGTERM') };
    running.add(entry);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('close', (code, signal) => {
      running.delete(entry);
      const seconds = (performance.now() - began) / 1000;
      const lines = output.split('\n').filter(line => line.trim() !== '');
      for (const line of lines.slice(-SHOWN_LINES)) console.log(`    ${line}`);
      resolve({ unit, seconds, ...readReport(report, unit, signal ?? code) });
    });
  });
}

/** What mocha wrote; a folder that ended without a report has failed as a whole. */
function readReport(file: string, { name }: Unit, end: number | string | null): Pick<Result, 'passed' | 'failures'> {
  try {
    const { passes, failures } = JSON.parse(readFileSync(file, 'utf8')) as { passes: readonly unknown[]; failures: readonly Failure[] };
    if (failures.length > 0 || end === 0) return { passed: passes.length, failures };
    return { passed: passes.length, failures: [{ fullTitle: name, err: { message: `mocha ended with ${end}` } }] };
  } catch {
    return { passed: 0, failures: [{ fullTitle: name, err: { message: `mocha ended with ${end} and wrote no report` } }] };
  }
}

function tell({ unit, passed, failures, seconds }: Result, place: string): void {
  const failed = failures.length > 0 ? `, ${failures.length} FAILED` : '';
  console.log(`${place} ${unit.name}: ${passed} passed${failed} (${seconds.toFixed(1)} s)`);
}

const isAsked = ({ name }: Unit): boolean => asked.length === 0 || asked.some(path => name === path || name.startsWith(`${path}/`));
const isOfThisRun = ({ name }: Unit): boolean => (name === 'long' || name.startsWith('long/')) === isLong;
const times = lastTimes();
const units = unitsBelow(SPECS)
  .filter(unit => isOfThisRun(unit) && isAsked(unit))
  .sort((a, b) => (times[b.name] ?? Infinity) - (times[a.name] ?? Infinity) || b.files.length - a.files.length);
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

await Promise.all(Array.from({ length: isLong ? 1 : Math.max(1, availableParallelism()) }, slot));

const final: Result[] = [];
for (const result of results) {
  if (result.failures.length === 0) {
    final.push(result);
    continue;
  }
  for (const { fullTitle, err } of result.failures) console.log(`failed beside others: ${fullTitle}\n${err.message ?? ''}`);
  const again = await run(result.unit, ++begun);
  tell(again, '[alone]');
  for (const { fullTitle } of result.failures)
    if (!again.failures.some(failure => failure.fullTitle === fullTitle)) console.log(`passed alone: ${fullTitle}`);
  final.push(again);
}

const failures = final.flatMap(result => result.failures);
for (const [i, { fullTitle, err }] of failures.entries()) {
  console.log(`\n${i + 1}) ${fullTitle}\n${err.stack ?? err.message ?? ''}`);
  if (err.expected !== undefined) console.log(`expected: ${String(err.expected)}\nactual: ${String(err.actual)}`);
}
const seconds = Object.fromEntries(final.map(({ unit, seconds: took }) => [unit.name, took]));
writeFileSync(TIMES, JSON.stringify({ ...times, ...seconds }));
rmSync(reports, { recursive: true });

const minutes = (performance.now() - began) / 60_000;
console.log(`\n  ${final.reduce((sum, { passed }) => sum + passed, 0)} passing (${minutes.toFixed(1)}m)`);
if (failures.length > 0) console.log(`  ${failures.length} failing`);
process.exitCode = failures.length > 0 ? 1 : 0;
