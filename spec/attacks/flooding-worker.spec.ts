import { expect } from 'chai';
import { InjectWorker, Logger, Module, type WorkerClient, type Workers } from 'packet-ts';
import { createTestApp } from 'packet-ts/testing';
import { CaseWorker } from '../fixtures/case.worker.js';
import { HostileWorker } from '../fixtures/hostile.worker.js';
import { atEnd, soon } from '../kit/index.js';
import { LoopDelay } from '../kit/loop-delay.js';

const MB = 1024 * 1024;

/** Counts what reaches the log. */
class Counting extends Logger {
  lines = 0;
  override info(): void {
    this.lines++;
  }
  override warn(): void {
    this.lines++;
  }
  override error(): void {
    this.lines++;
  }
}

class Clients {
  constructor(
    readonly hostile: WorkerClient<HostileWorker>,
    readonly honest: WorkerClient<CaseWorker>,
  ) {}
}
InjectWorker(HostileWorker)(Clients, undefined, 0);
InjectWorker(CaseWorker)(Clients, undefined, 1);

@Module({ workers: [HostileWorker, CaseWorker], providers: [Clients] })
class AppModule {}

describe('a worker process that floods its master', function () {
  this.timeout(30_000);
  const logger = new Counting();
  let clients: Clients;
  let workers: Workers;

  beforeEach(async () => {
    const app = await createTestApp(AppModule).start({ runtime: 'process', logger });
    atEnd(() => app.close({ timeout: '2s' }));
    clients = app.get(Clients);
    workers = app.workers;
    await clients.honest.echo('warm');
    logger.lines = 0;
  });

  const floods: readonly (readonly [string, () => Promise<unknown>, RegExp])[] = [
    ['with the latest status', () => clients.hostile.flood('status'), /^WorkerTimeoutError/],
    ['with large values', () => clients.hostile.flood('large status'), /^WorkerTimeoutError/],
    ['with errors that nobody caused', () => clients.hostile.flood('stray'), /^WorkerTimeoutError/],
    ['with news of its connections', () => clients.hostile.flood('holds'), /^WorkerTimeoutError/],
    ['with unasked messages', () => clients.hostile.flood('messages'), /^Worker(TimeoutError|CrashedError.*protocol)/],
    [
      'with a stream without end',
      async () => {
        for await (const item of clients.hostile.stream('items')) expect(item).to.be.a('number');
      },
      /^(WorkerCrashedError.*protocol|BoundaryError)/,
    ],
    [
      'with calls to another worker',
      () => clients.hostile.flood('calls to another worker'),
      /^Worker(TimeoutError|CrashedError.*protocol)/,
    ],
    [
      'with large calls to another worker',
      () => clients.hostile.flood('large calls to another worker'),
      /^Worker(TimeoutError|CrashedError.*protocol)/,
    ],
    ['on stdout', () => clients.hostile.print('stdout'), /^WorkerTimeoutError/],
    ['on stderr', () => clients.hostile.print('stderr'), /^WorkerTimeoutError/],
  ];

  for (const [what, flood, end] of floods) {
    it(`${what} is ended for it; meanwhile others are answered, the loop turns and memory is bounded`, async function () {
      using delay = new LoopDelay();
      let over: string | undefined;
      void flood().then(
        () => (over = 'it returned'),
        (error: Error) => (over = `${error.name}: ${error.message}`),
      );
      let answered = 0;
      let slowest = 0;
      while (over === undefined) {
        const from = performance.now();
        await soon(clients.honest.echo(answered++), { within: '5s', what: 'an answer of the honest worker' });
        slowest = Math.max(slowest, performance.now() - from);
      }
      const { peak, grown } = delay;
      this.test!.title += ` (${answered} answered, slowest ${Math.round(slowest)} ms, loop late by at most ${Math.round(peak)} ms, RSS +${Math.round(grown / MB)} MB, ${logger.lines} lines logged)`;
      expect(over).to.match(end);
      expect(peak, 'ms that the loop was late').to.be.lessThan(1000);
      expect(slowest, 'ms for an answer').to.be.lessThan(2000);
      expect(grown, 'bytes of RSS').to.be.lessThan(400 * MB);
      expect(logger.lines, 'lines logged').to.be.lessThan(what.includes('errors') ? 500 : 100_000);
      expect(await clients.honest.echo('afterwards')).to.equal('afterwards');
      expect(workers.status().some(({ name }) => name === 'hostile_worker')).to.equal(true);
    });
  }
});
