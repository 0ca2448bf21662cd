import { expect } from 'chai';
import type { Registry } from 'prom-client';
import { bootstrap, InjectWorker, Module, OnStart, type WorkerClient } from 'packet-ts';
import { metrics } from 'packet-ts/metrics';
import { atEnd, waitFor } from '../kit/index.js';
import { Random } from '../kit/random.js';
import { AroundWorker } from '../fixtures/workers/around.worker.js';
import { Doomed } from '../fixtures/misbehaviour/doomed.worker.js';

/** Has the clients of what is measured. */
export class Asks {
  constructor(
    @InjectWorker(AroundWorker) readonly worker: WorkerClient<AroundWorker>,
    @InjectWorker(Doomed) readonly doomed: WorkerClient<Doomed>,
  ) {}
  @OnStart() protected start(): void {}
}

@Module({ providers: [Asks], workers: [AroundWorker, Doomed] })
export class MeasuredModule {}

/** Name and labels of each sample of a page → its value. */
export type Samples = ReadonlyMap<string, number>;

export async function samples(registry: Registry): Promise<Samples> {
  const page = await registry.metrics();
  return new Map([...page.matchAll(/^([a-z_]\S*(?:\{.*\})?) (\S+)$/gm)].map(([, name, value]) => [name!, Number(value)]));
}

const OUTCOMES = /^packet_ts_calls_(?:done|failed|crashed|timed_out|refused)_total/;

/** All calls of a page, however they ended. */
export function callsIn(page: Samples): number {
  return [...page].reduce((sum, [name, value]) => sum + (OUTCOMES.test(name) ? value : 0), 0);
}

const isCounter = (name: string): boolean => /_total(?:\{|$)|_count(?:\{|$)|_bucket\{/.test(name);

/** Kills processes at random while they work, and scrapes meanwhile: counters only grow, and every call is in one of them. */
export async function scrapeUnderKills(kills: number, seed: number): Promise<void> {
  const app = await bootstrap(MeasuredModule, { signals: false, logger: false });
  atEnd(() => app.close());
  const registry = metrics(app);
  const { doomed } = app.get<Asks>(Asks);
  const random = new Random(seed);
  const settled: Promise<unknown>[] = [];
  const call = (what: string): Promise<unknown> => {
    const outcome = doomed.work(what).catch(() => {});
    settled.push(outcome);
    return outcome;
  };
  let before: Samples = new Map();
  const scrape = async (): Promise<Samples> => {
    const now = await samples(registry);
    for (const [name, value] of before) if (isCounter(name)) expect(now.get(name) ?? -1, name).to.be.at.least(value);
    return (before = now);
  };
  for (let killed = 0; killed < kills;) {
    for (let i = 0; i < 5; i++) void call(random.percent(10) ? 'throw' : 'wait');
    const ready = app.workers.status().filter(({ name, pid, state }) => name === 'doomed' && pid !== undefined && state === 'ready');
    if (ready.length > 0) {
      process.kill(random.pick(ready).pid!, 'SIGKILL');
      killed++;
    }
    await call('wait');
    await scrape();
  }
  // Those that were killed may not have begun a call: this one has.
  await call('die');
  await Promise.all(settled);
  const page = await scrape();
  expect(callsIn(page)).to.equal(settled.length);
  expect(page.get('packet_ts_calls_crashed_total{worker="doomed",key=""}')).to.be.greaterThan(0);
  const exits = async (): Promise<number> =>
    (await samples(registry)).get('packet_ts_worker_exits_total{worker="doomed",key="",reason="signal"}') ?? 0;
  // One may be killed twice before it is seen to be dead.
  await waitFor(async () => (await exits()) >= kills / 2, { within: '20s' });
}
