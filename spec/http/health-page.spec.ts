import { expect } from 'chai';
import { bootstrap, InjectWorker, Module, OnStart, type WorkerClient } from 'packet-ts';
import { healthPage } from 'packet-ts/http';
import { metrics } from 'packet-ts/metrics';
import { atEnd } from '../kit/index.js';
import { SmallWorker } from '../fixtures/workers/small.worker.js';

describe('healthPage()', () => {
  it('counts from the start, and not from the first scrape', async () => {
    const health = healthPage({ listen: 'http://127.0.0.1:0', metrics: app => metrics(app) });
    class Asks {
      constructor(@InjectWorker(SmallWorker) readonly worker: WorkerClient<SmallWorker>) {}
      @OnStart() protected start(): void {}
    }
    @Module({ connections: [health], workers: [SmallWorker], providers: [Asks] })
    class AppModule {}
    const app = await bootstrap(AppModule, { signals: false, logger: false });
    atEnd(() => app.close());
    await app
      .get<Asks>(Asks)
      .worker.ask('x')
      .catch(() => {});
    const page = await (await fetch(new URL('/metrics', app.address(health).url))).text();
    expect(page).to.match(/^packet_ts_calls_\w+_total\{worker="small_worker".*\} 1$/m);
  });

  it('answers what health() says, and the metrics where they are asked for', async () => {
    const health = healthPage({ listen: 'http://127.0.0.1:0', metrics: app => metrics(app) });
    @Module({ connections: [health], workers: [SmallWorker] })
    class AppModule {}
    const app = await bootstrap(AppModule, { signals: false, logger: false });
    atEnd(() => app.close());
    const ask = async (path: string, init?: RequestInit): Promise<[number, string]> => {
      const answer = await fetch(new URL(path, app.address(health).url), init);
      return [answer.status, await answer.text()];
    };
    expect(await ask('/livez')).to.deep.equal([200, '{"live":true}']);
    const [status, text] = await ask('/readyz');
    expect(status).to.equal(200);
    expect(JSON.parse(text)).to.deep.include({ ready: true }).and.have.nested.property('details.workers[0].worker', 'small_worker');
    const [, page] = await ask('/metrics');
    expect(page).to.include('packet_ts_ready 1').and.include('packet_ts_worker_processes{worker="small_worker",key="",state="ready"} 1');
    expect((await ask('/else'))[0]).to.equal(404);
    expect((await ask('/livez', { method: 'POST' }))[0]).to.equal(405);
    expect((await ask('/livez', { method: 'HEAD' }))[0]).to.equal(200);
  });
});
