import { expect } from 'chai';
import { bootstrap, InjectWorker, Module, NotCloneableError, serveWorkers, transfer, type WorkerClient } from '../../src/index.js';
import { memoryMesh } from '../../src/testing/index.js';
import { ThreadTransferWorker } from '../fixtures/workers/transfer.worker.js';
import { atEnd } from '../kit/index.js';
import { failure } from '../promises/pool/scene.js';

class Holder {
  constructor(readonly client: WorkerClient<ThreadTransferWorker>) {}
}
InjectWorker(ThreadTransferWorker)(Holder, undefined, 0);

class ThreadsModule {}
Module({ workers: [ThreadTransferWorker], providers: [Holder] })(ThreadsModule);

const quiet = { logger: false, signals: false } as const;

describe('a thread on another machine', function () {
  this.timeout(20_000);

  it('is called with copies: what it moves arrives, what it shares is an error of that call', async () => {
    const mesh = memoryMesh();
    const host = await serveWorkers(ThreadsModule, { mesh, workers: ['thread_transfer'], name: 'far', ...quiet });
    atEnd(() => host.close());
    const app = await bootstrap(ThreadsModule, { mesh, placement: { thread_transfer: 'remote' }, ...quiet });
    atEnd(() => app.close());
    const { client } = app.get(Holder);
    const image = new Uint8Array(100_000).fill(1);
    const bumped = await client.bump(transfer(image));
    expect([bumped.length, bumped[0], bumped.at(-1), image.length]).to.deep.equal([100_000, 2, 2, 100_000]);
    const firsts: number[] = [];
    for await (const piece of client.pieces(3)) firsts.push(piece[0]!);
    expect(firsts).to.deep.equal([0, 1, 2]);
    expect(await failure(client.shared())).to.be.instanceOf(NotCloneableError);
    expect(await client.left(), 'the thread lives on').to.equal(0);
  });
});
