import { expect } from 'chai';
import { App, ClosingError, inject, Module, OnStart, OnStop, OnWorkerStart, type WorkerProcess } from 'packet-ts';
import { createTestApp } from 'packet-ts/testing';
import { SmallWorker } from '../fixtures/workers/small.worker.js';

describe('an application that starts', () => {
  it('starts nothing more when it is closed meanwhile, and stops what had started', async () => {
    const told: string[] = [];
    class Before {
      @OnStart() protected start(): void {
        told.push('before');
      }
      @OnStop() protected stop(): void {
        told.push('before stops');
      }
    }
    class Closer {
      constructor(@inject(App) private readonly app: App) {}
      @OnStart() protected async start(): Promise<void> {
        await this.app.close();
        told.push('closed');
      }
      @OnStop() protected stop(): void {
        told.push('closer stops');
      }
    }
    class After {
      @OnStart() protected start(): void {
        told.push('after');
      }
    }
    @Module({ providers: [Before, Closer, After] })
    class AppModule {}
    const error: unknown = await createTestApp(AppModule)
      .start()
      .catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(ClosingError);
    expect(told).to.deep.equal(['before', 'before stops', 'closed', 'closer stops']);
  });

  it('tells of the first processes of a worker, which are ready before the hooks are', async () => {
    const seen: WorkerProcess[] = [];
    class Watcher {
      @OnWorkerStart(SmallWorker) protected up(process: WorkerProcess): void {
        seen.push(process);
      }
    }
    @Module({ workers: [SmallWorker], providers: [Watcher] })
    class AppModule {}
    await using app = await createTestApp(AppModule).start();
    expect(seen.map(({ handle, pid }) => [handle.name, pid])).to.deep.equal([['small_worker', process.pid]]);
    await app.workers.restart(SmallWorker);
    expect(seen).to.have.length(2);
  });
});
