import { expect } from 'chai';
import { spawn } from 'packet-ts';
import { CompileCacheWorker } from '../fixtures/start/compile-cache.worker.js';

describe('the compiled code of a worker', function () {
  this.timeout(20_000);

  for (const runtime of ['process', 'thread'] as const)
    it(`is kept for the next start where this Node can, in the runtime '${runtime}'`, async () => {
      await using client = await spawn(CompileCacheWorker, { runtime, logger: false });
      const { available, folder } = await client.cache();
      expect(folder !== undefined).to.equal(available && process.env['NODE_DISABLE_COMPILE_CACHE'] === undefined);
    });

  it('is not where the worker has permissions, and may write nothing', async () => {
    await using client = await spawn(CompileCacheWorker, { permissions: {}, logger: false });
    expect((await client.cache()).folder).to.equal(undefined);
  });
});
