/**
 * Mistreats an application with every endpoint and two pools: killed and stopped workers, resets, broken-off downloads and uploads, idle
 * event streams, slow readers, half-closes, garbage, a blocked event loop. Then looks at what it holds in quiet moments: descriptors,
 * timers, memory and subscriptions must not grow, every call must have settled once, nothing may be uncaught, and SIGTERM in the middle
 * must end it with exit code 0. Exits with 1 when one of that fails, and prints the seed.
 * @example npm run chaos · node dist/scripts/chaos.js 1 [seed]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ACTORS } from './chaos/actors.js';
import { growths } from './chaos/flatness.js';
import { Random } from './chaos/random.js';
import { Server, type Sample } from './chaos/server.js';

const MINUTES = Number(process.argv[2] ?? 15);
const SEED = Number(process.argv[3] ?? Date.now() % 2 ** 31);
/** Actors at once. */
const CROWD = 20;
/** Rounds of chaos for each of the two applications, each followed by a quiet moment. */
const ROUNDS = Math.max(2, Math.min(10, Math.round(MINUTES * 3)));
/** Part of a round that is chaos; the rest is for connections to end and for the sample. */
const ROUND = Math.max(2_000, (MINUTES * 60_000) / (2 * ROUNDS) - 3_000);
/** Longest that connections may take to end once nobody does anything any more, in milliseconds. */
const QUIET_WITHIN = 30_000;

const random = new Random(SEED);
const folder = mkdtempSync(join(tmpdir(), 'chaos-'));
const faults: string[] = [];
let actions = 0;
console.log(`seed ${SEED}, ${MINUTES} minutes`);

function fault(what: string): void {
  if (faults.length < 50) console.log(`fault: ${what.slice(0, 2_000)}`);
  faults.push(what);
}

/** Kills or stops a worker now and then. */
async function harassWorkers(server: Server, chance: Random, until: () => boolean): Promise<void> {
  const stopped = new Set<number>();
  while (!until()) {
    await sleep(chance.between(300, 2_000));
    const { pids = [] } = await server.ask<{ pids?: number[] }>('workers');
    const pid = chance.pick(pids);
    if (pid === undefined) continue;
    try {
      if (chance.below(3) === 0) {
        process.kill(pid, 'SIGSTOP');
        stopped.add(pid);
        await sleep(chance.between(100, 3_000));
        process.kill(pid, 'SIGCONT');
        stopped.delete(pid);
      } else process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended meanwhile.
    }
  }
}

/** The application dials itself and a command. */
async function dials(server: Server, until: () => boolean): Promise<void> {
  while (!until()) {
    const { dialled, error } = await server.ask<{ dialled?: string[]; error?: string }>('dial');
    if (until()) return;
    if (error !== undefined || (dialled && dialled.join() !== 'hello,hello')) fault(`dialled: ${error ?? String(dialled)}`);
    await sleep(200);
  }
}

/** One seat of the crowd: one actor after the other. */
async function act(server: Server, chance: Random, until: () => boolean, excused: () => boolean): Promise<void> {
  while (!until()) {
    const actor = chance.pick(ACTORS);
    actions++;
    try {
      await actor({ random: chance.fork(), target: server.target, wrong: what => void (excused() || fault(what)) });
    } catch (error) {
      if (!excused()) fault(`${actor.name}: ${String(error)}`);
      await sleep(50);
    }
  }
}

async function quietSample(server: Server): Promise<Sample> {
  const until = performance.now() + QUIET_WITHIN;
  for (;;) {
    const sample = await server.ask<Sample>('sample');
    // The control line and the udp socket stay.
    const { connections, restless, calls, subscriptions } = sample;
    if ((connections <= 2 && restless === 0 && calls.made === calls.settled && subscriptions === 0) || performance.now() > until)
      return sample;
    await sleep(100);
  }
}

/** Mistreats one application for all its rounds; `last` ends it by SIGTERM, in the middle of the chaos of an extra one. */
async function run(name: string): Promise<void> {
  const server = await Server.start(join(folder, `${name}.sock`), line => fault(`log: ${line}`));
  const samples: Sample[] = [];
  let terminated = false;
  const unexpected = (): void => {
    if (!terminated) fault('the application has ended');
  };
  void server.exited.then(unexpected);
  const chaosFor = (over: () => boolean): Promise<unknown> =>
    Promise.all([
      ...Array.from({ length: CROWD }, () => act(server, random.fork(), over, () => terminated)),
      harassWorkers(server, random.fork(), over),
      dials(server, () => over() || terminated),
    ]);
  for (let round = 0; round < ROUNDS; round++) {
    const end = performance.now() + ROUND;
    await chaosFor(() => performance.now() > end);
    const sample = await quietSample(server);
    samples.push(sample);
    console.log(`${name} ${round}: ${JSON.stringify(sample)}, closed by limits and times so far: ${JSON.stringify(server.closed)}`);
    if (sample.connections === undefined) break;
  }
  for (const growth of growths(samples)) fault(`${name}: ${growth}`);
  // In the middle of the next round it is told to end.
  let over = false;
  const chaos = chaosFor(() => over);
  await sleep(Math.min(ROUND / 2, 5_000));
  terminated = true;
  const from = performance.now();
  server.terminate();
  const { code, signal } = await server.exited;
  over = true;
  console.log(
    `${name}: SIGTERM in the middle: exit code ${code}, signal ${signal}, after ${Math.round(performance.now() - from)} ms, ${server.log.lines} lines of log`,
  );
  if (code !== 0) fault(`${name}: SIGTERM in the middle ended with code ${code}, signal ${signal}`);
  await chaos;
}

await run('first');
await run('second');
rmSync(folder, { recursive: true });
console.log(`${actions} actions, ${faults.length} faults, seed ${SEED}`);
process.exit(faults.length > 0 ? 1 : 0);
