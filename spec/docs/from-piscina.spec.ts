import { expect } from 'chai';
import { bootstrap, Module, spawn, transfer, WorkerBusyError, WorkerCrashedError, WorkerTimeoutError } from 'packet-ts';
import { SmallWorker } from '../fixtures/workers/small.worker.js';
import { Adder } from './support/adder.worker.js';

/** Each line of docs/from-piscina.md that names this file stands here, and runs. */
@Module({ workers: [SmallWorker] })
class AppModule {}

const failure = (error: Error): Error => error;

describe('what users of Piscina look for:', () => {
  it('a pool, its tasks and its end', async () => {
    const worker = await spawn(SmallWorker, { logger: false });
    expect(await worker.echo('from a process')).to.equal('from a process');
    await worker.close();
    const adder = await spawn(Adder, { minWorkers: 1, maxWorkers: 'cores' });
    const sum = await adder.add({ a: 4, b: 6 });
    const product = await adder.multiply({ a: 4, b: 6 });
    expect([sum, product]).to.deep.equal([10, 24]);
    await adder.close({ timeout: '5s' });
    {
      await using worker = await spawn(SmallWorker, { logger: false });
      expect(await worker.started()).to.equal(1);
    }
  });

  it('threads, and memory that moves', async () => {
    const adder = await spawn(Adder, { runtime: 'thread', logger: false });
    const memory = new ArrayBuffer(1024);
    const bytes = await adder.size(transfer(memory));
    expect([bytes, memory.byteLength]).to.deep.equal([1024, 0]);
    await adder.close();
  });

  it('streams and events', async () => {
    const adder = await spawn(Adder, { logger: false, concurrency: 10 });
    const items: number[] = [];
    for await (const n of adder.upTo(3)) items.push(n);
    const steps: number[] = [];
    for await (const n of adder.upTo(2, { on: { step: n => steps.push(n) } })) items.push(n);
    expect([items, steps]).to.deep.equal([
      [1, 2, 3, 1, 2],
      [1, 2],
    ]);
    expect(await adder.total(undefined, { send: [1, 2, 3] })).to.equal(6);
    await adder.close();
  });

  it('limits, aborts and crashes', async () => {
    const adder = await spawn(Adder, { logger: false, timeout: '200ms', maxQueue: 1, prefetch: 0 });
    const endless = adder.endless().catch(failure);
    const waiting = adder.add({ a: 1, b: 1 });
    const control = new AbortController();
    const refused = await adder.add({ a: 1, b: 1 }, { signal: control.signal }).catch(failure);
    expect(refused).to.be.an.instanceof(WorkerBusyError);
    expect(await endless).to.be.an.instanceof(WorkerTimeoutError);
    expect(await waiting).to.equal(2);
    const aborted = adder.add({ a: 1, b: 1 }, { signal: control.signal }).catch(failure);
    control.abort();
    expect(((await aborted) as Error).name).to.equal('AbortError');
    expect(await adder.leave().catch(failure))
      .to.be.an.instanceof(WorkerCrashedError)
      .and.to.have.property('exitCode', 3);
    await adder.close();
  });

  it('figures', async () => {
    const app = await bootstrap(AppModule, { logger: false, signals: false });
    expect(app.workers.status()).to.have.lengthOf(1);
    await app.close();
  });
});
