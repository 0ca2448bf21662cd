/**
 * Kills worker processes at random moments under load and looks whether the pool keeps its word: each call has its right answer, or a
 * WorkerCrashedError and the task's own journal shows that it had begun; none is run twice; none hangs. Exits with 1 when one of that fails.
 * @example npm run stampede · node dist/scripts/stampede.js 200 [seed]
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootstrap, InjectWorker, Module, Worker, WorkerCrashedError, type WorkerClient } from 'packet-ts';
import { JournalWorker } from '../spec/fixtures/workers/journal.worker.js';
import { soon } from '../spec/kit/wait-for.js';

const KILLS = Number(process.argv[2] ?? 1000);
const SEED = Number(process.argv[3] ?? Date.now() % 2 ** 31);
/** Calls under way at any moment. */
const LOAD = 200;
/** Calls that one mark may cover: so many may be taken for begun, and are not in the journal. */
const GROUP = 16;

let state = SEED;
/** 0 ≤ n < below; the same numbers with the same seed. */
function random(below: number): number {
  state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
  return Math.floor((state / 0x8000_0000) * below);
}

const folder = mkdtempSync(join(tmpdir(), 'stampede-'));
process.env['JOURNAL'] = join(folder, 'journal');
const from = performance.now();

class Victims extends JournalWorker {}
Worker('journal_worker', {
  source: new URL('../spec/fixtures/workers/journal.worker.js', import.meta.url).href,
  minWorkers: 2,
  // Not what is looked at here: on a busy machine a process may take its time.
  startTimeout: '5m',
  restart: { maxFailedStarts: 1e6, delay: '1ms', maxDelay: '10ms' },
})(Victims);
class Clients {
  constructor(readonly journal: WorkerClient<JournalWorker>) {}
}
InjectWorker(Victims)(Clients, undefined, 0);
class AppModule {}
Module({ workers: [Victims], providers: [Clients] })(AppModule);
const app = await bootstrap(AppModule, { logger: false, signals: false });
const { journal: pool } = app.get(Clients);

const crashed = new Map<string, WorkerCrashedError>();
const answered = new Set<string>();
const wrong: string[] = [];
let made = 0;
let settled = 0;
let kills = 0;

/** One that works, as a rule; sometimes one that starts. */
function victim(): number | undefined {
  const wanted = random(8) === 0 ? 'starting' : 'ready';
  const pids = app.workers.status().flatMap(row => (row.state === wanted ? (row.pid ?? []) : []));
  return pids[random(pids.length)];
}

/** One after the other, some of them slow, until all kills are done. */
async function client(): Promise<void> {
  while (kills < KILLS) {
    const id = String(made++);
    try {
      const answer = await pool.enter({ id, spin: random(3) === 0 ? 1 + random(3) : 0 });
      if (answer === id) answered.add(id);
      else wrong.push(`call ${id} was answered ${answer}`);
    } catch (error) {
      if (error instanceof WorkerCrashedError) crashed.set(id, error);
      else wrong.push(`call ${id} failed with ${String(error)}`);
      // One that is refused at once would make the next at once, too, and nothing else would ever happen.
      await new Promise(resolve => setImmediate(resolve));
    }
    settled++;
  }
}

/** At a moment that nobody chose: after so many answers and so many turns of the event loop. */
async function killer(): Promise<void> {
  while (kills < KILLS) {
    const until = settled + random(120);
    for (let turns = random(40); settled < until || turns > 0; turns--) await new Promise(resolve => setImmediate(resolve));
    const pid = victim();
    if (pid === undefined) continue;
    try {
      process.kill(pid, 'SIGKILL');
      kills++;
    } catch {
      // It has gone by itself in this very moment.
    }
  }
}

await Promise.all(
  [killer(), ...Array.from({ length: LOAD }, client)].map(each => soon(each, { within: `${60 + KILLS}s`, what: 'every call to settle' })),
).catch((error: unknown) => wrong.push(String(error)));
await app.close();

const journal = readFileSync(process.env['JOURNAL'], 'utf8').split('\n').slice(0, -1);
const begun = new Set(journal);
rmSync(folder, { recursive: true });

/** Calls that failed and never began, by the process that they were at. */
const missing = new Map<number, WorkerCrashedError[]>();
for (const [id, error] of crashed) if (!begun.has(id)) missing.set(error.pid, [...(missing.get(error.pid) ?? []), error]);
for (const [pid, errors] of missing) {
  if (errors.length > GROUP) wrong.push(`${errors.length} calls at ${pid} were given up and had not begun`);
  const sure = errors.filter(({ started }) => started === true).length;
  if (sure > 1) wrong.push(`${sure} calls at ${pid} were said to have begun and had not`);
}
for (const id of answered) if (!begun.has(id)) wrong.push(`call ${id} was answered and never began`);
if (begun.size !== journal.length) wrong.push(`${journal.length - begun.size} calls were run twice`);
if (answered.size + crashed.size !== made) wrong.push(`${made - answered.size - crashed.size} of ${made} calls have no outcome`);

const most = Math.max(0, ...[...missing.values()].map(({ length }) => length));
const never = [...missing.values()].reduce((sum, { length }) => sum + length, 0);
console.log(
  JSON.stringify({
    seed: SEED,
    kills,
    calls: made,
    answered: answered.size,
    crashed: crashed.size,
    neverBegun: never,
    mostNeverBegunByOneKill: most,
    runTwice: journal.length - begun.size,
    seconds: Math.round((performance.now() - from) / 100) / 10,
    violations: wrong.length,
  }),
);
for (const each of wrong.slice(0, 20)) console.error(each);
process.exitCode = wrong.length === 0 ? 0 : 1;
