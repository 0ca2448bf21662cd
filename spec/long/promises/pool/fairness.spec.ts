import { statSync } from 'node:fs';
import { expect } from 'chai';
import { Connection, InjectWorker, Module, OnData, Worker, type WorkerClient } from 'packet-ts';
import { lines } from 'packet-ts/framing';
import { createTestApp, type TestClient } from 'packet-ts/testing';
import { CaseWorker } from '../../../fixtures/workers/case.worker.js';
import { waitFor } from '../../../kit/index.js';
import { Scene } from '../../../promises/pool/scene.js';

const WAITING = 10_000;
const ASKED = 101;
/** What a call costs its worker: far above what it costs to bring it there. Milliseconds. */
const WORK = 3;
/** Every line of the journal is as long. */
const LINE = 8;

class Crowded extends CaseWorker {}
Worker('case_worker', {
  source: new URL('../../../fixtures/workers/case.worker.js', import.meta.url).href,
  minWorkers: 2,
  maxWorkers: 2,
  maxQueue: 2 * WAITING,
  maxQueuePerCaller: WAITING,
})(Crowded);

@Connection({ listen: 'tcp://127.0.0.1:0', framing: lines() })
class Client {
  static file = '';
  static readonly refused: string[] = [];

  constructor(@InjectWorker(Crowded) private readonly worker: WorkerClient<CaseWorker>) {}

  @OnData() async take(line: string): Promise<string> {
    if (line !== 'flood') return String(await this.note(line));
    for (let i = 0; i < WAITING; i++) this.note('flood').catch((error: Error) => Client.refused.push(error.name));
    return 'flooded';
  }

  private note(line: string): Promise<number> {
    return this.worker.note({ file: Client.file, line: line.padEnd(LINE - 1).slice(0, LINE - 1), spin: WORK });
  }
}

@Module({ connections: [Client], workers: [Crowded] })
class AppModule {}

const begun = (): number => statSync(Client.file).size / LINE;
const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[list.length >> 1]!;

/** One after the other: how long each took, and how many calls of others began between its being made and its own beginning. */
async function asks(client: TestClient<string, string>, journal: () => readonly string[]): Promise<{ latency: number; ahead: number }> {
  const times: number[] = [];
  const ahead: number[] = [];
  for (let i = 0; i < ASKED; i++) {
    const before = begun();
    const from = performance.now();
    client.send(`ask ${i}`);
    await client.next({ within: '5s' });
    times.push(performance.now() - from);
    const own = journal().findLastIndex(line => line.startsWith(`ask ${i} `));
    ahead.push(own - before);
  }
  return { latency: median(times), ahead: median(ahead) };
}

describe('a connection with as many calls waiting as it may have', function () {
  it(`(${WAITING}) makes another client wait for what runs, not for what waits, and the other is never refused`, async function () {
    const scene = await Scene.open({ where: 'inline' });
    Client.file = scene.touch('journal');
    const app = await createTestApp(AppModule).start({ runtime: 'process' });
    try {
      const [flood, other] = await Promise.all([app.connect<string, string>(Client), app.connect<string, string>(Client)]);
      const journal = (): readonly string[] => scene.journal;
      const quiet = await asks(other, journal);
      flood.send('flood');
      await flood.expect('flooded');
      const waiting = app.workers.status().reduce((sum, { queued, running }) => sum + queued + running, 0);
      // The first of them may be over already: those are in the journal.
      const over = journal().filter(line => line.startsWith('flood ')).length;
      expect(waiting + over).to.be.at.least(WAITING);
      const crowded = await asks(other, journal);
      // What the clock says depends on what else this machine does: the figure with an exact clock is in spec/workers/fairness.spec.ts.
      this.test!.title += ` (median ${quiet.latency.toFixed(1)} ms quiet, ${crowded.latency.toFixed(1)} ms crowded, ${crowded.ahead} others first)`;
      expect(crowded.ahead, 'calls of 10 000 that went first').to.be.at.most(20);
      expect(Client.refused).to.deep.equal([]);
      flood.destroy();
      await waitFor(() => app.workers.status().every(({ queued, running }) => queued + running === 0), { within: '5s' });
      expect((await asks(other, journal)).ahead).to.equal(0);
    } finally {
      await app.close();
    }
  });
});
