import { expect } from 'chai';
import { spawn, UsageError, WorkerCrashedError } from 'packet-ts';
import { HungWorker } from '../../fixtures/misbehaviour/hung.worker.js';

describe('close() of a spawned worker whose task hangs', function () {
  const cutOff = { graceful: false, connections: 0, calls: 1, workers: 1 };

  it('ends it after its timeout, and says what was cut off', async () => {
    const worker = await spawn(HungWorker, { logger: false });
    const failed = worker.hang().catch((error: unknown) => error);
    expect(await worker.close({ timeout: '200ms' })).to.deep.equal(cutOff);
    expect(await failed)
      .to.be.instanceOf(WorkerCrashedError)
      .and.to.include({ reason: 'stop' });
  });

  it('ends it after the closeTimeout of the worker where it is given none, as `await using` does', async () => {
    const worker = await spawn(HungWorker, { logger: false, closeTimeout: '200ms' });
    const failed = worker.hang().catch((error: unknown) => error);
    await worker[Symbol.asyncDispose]();
    expect(await worker.close()).to.deep.equal(cutOff);
    expect(await failed).to.be.instanceOf(WorkerCrashedError);
  });

  it('says that a timeout is no duration', async () => {
    const worker = await spawn(HungWorker, { logger: false, minWorkers: 0 });
    const error: unknown = await worker.close({ timeout: 'soon' as never }).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(UsageError);
    expect((await worker.close()).graceful).to.equal(true);
  });
});
