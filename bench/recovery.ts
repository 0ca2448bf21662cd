import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import workerpool from 'workerpool';
import { bootstrap, InjectWorker, Module, type App, type WorkerClient } from '../src/index.js';
import type { Contender } from './kit/contender.js';
import { chosen, readOptions } from './kit/options.js';
import { report } from './kit/report.js';
import { runRounds } from './kit/rounds.js';
import { MortalWorker, SparedWorker, StartedWorker } from './recovery/worker.js';

/** Kills a process and gives the milliseconds until it is over. */
type Measurement = () => Promise<number>;

class Clients {
  constructor(
    @InjectWorker(MortalWorker) readonly mortal: WorkerClient<MortalWorker>,
    @InjectWorker(SparedWorker) readonly spared: WorkerClient<SparedWorker>,
  ) {}
}

/** From SIGKILL until another process has answered; a call that the dead one took with it is made again. */
async function killedUntilAnswered(pid: number, ask: () => Promise<number>): Promise<number> {
  const begin = performance.now();
  process.kill(pid, 'SIGKILL');
  for (;;) {
    const answer = await ask().catch(() => pid);
    if (answer !== pid) return performance.now() - begin;
  }
}

/** One process of two is busy, and dies. */
async function withSpare(app: App, client: WorkerClient<SparedWorker>): Promise<number> {
  const ready = (): number => app.workers.status().filter(({ name, state }) => name === 'bench_spared' && state === 'ready').length;
  let began!: (pid: number) => void;
  const holding = new Promise<number>(resolve => (began = resolve));
  const held = client.hold(undefined, { on: { began } }).catch(() => {});
  const pid = await holding;
  while (ready() < 2) await pause(5);
  const ms = await killedUntilAnswered(pid, () => client.pid());
  await held;
  return ms;
}

/** All in one application, so that the machine is the same to each. */
function packet(name: string, measurement: (app: App) => Measurement): Contender<Measurement> {
  return {
    name,
    start: async () => {
      @Module({ workers: [MortalWorker, SparedWorker, StartedWorker], providers: [Clients] })
      class RecoveryModule {}
      const app = await bootstrap(RecoveryModule, { logger: false, signals: false });
      return { subject: measurement(app), stop: () => app.close({ timeout: '1s' }) };
    },
  };
}

let key = 0;

const CONTENDERS: readonly Contender<Measurement>[] = [
  packet('packet-ts', app => {
    const { mortal } = app.get(Clients);
    return async () => killedUntilAnswered(await mortal.pid(), () => mortal.pid());
  }),
  packet('packet-ts with a spare process', app => () => withSpare(app, app.get(Clients).spared)),
  packet('its first start', app => async () => {
    const begin = performance.now();
    const handle = await app.workers.start(StartedWorker, { key: `${++key}` });
    const ms = performance.now() - begin;
    await app.workers.stop(handle);
    return ms;
  }),
  {
    name: 'workerpool process',
    start: async () => {
      const script = fileURLToPath(new URL('./recovery/workerpool-worker.js', import.meta.url));
      const pool = workerpool.pool(script, { workerType: 'process', minWorkers: 1, maxWorkers: 1 });
      const pid = async (): Promise<number> => (await pool.exec('pid', [])) as number;
      return {
        subject: async () => killedUntilAnswered(await pid(), pid),
        stop: async () => void (await pool.terminate(true)),
      };
    },
  },
];

/** How long nobody answers after `kill -9` of the one process that does. */
export async function run(argv: readonly string[]): Promise<void> {
  const options = readOptions(argv, { rounds: 11, ms: 0 });
  const figures = await runRounds(chosen(CONTENDERS, options), [{ name: 'kill -9' }], options.rounds, async measure => {
    // What the last measurement left to be started must not run into this one.
    await pause(300);
    return { ms: await measure() };
  });
  report('recovery', [{ key: 'ms', unit: 'ms until the next answer', better: 'less' }], figures);
}
