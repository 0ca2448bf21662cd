import { expect } from 'chai';
import { spawn, WorkerNotFoundError } from 'packet-ts';
import { AskingWorker, GreeterWorker, SpareWorker } from '../../fixtures/start/set-up-by-spawn.worker.js';

for (const runtime of ['process', 'inline'] as const) {
  describe(`a worker that its caller sets up, runtime '${runtime}'`, function () {
    it('starts with the options that spawn() gives it, though the schema has no defaults', async () => {
      await using greeter = await spawn(GreeterWorker, { options: { lang: 'en' }, logger: false, runtime });
      expect(await greeter.lang()).to.equal('en');
    });

    it('starts with what spawn() says in place of the decorator, though the decorator alone would be a mistake', async () => {
      await using spare = await spawn(SpareWorker, { maxWorkers: 2, logger: false, runtime });
      expect(await spare.pid()).to.be.a('number');
    });

    it('starts though it injects a worker that requires options, which then is not started', async () => {
      await using asking = await spawn(AskingWorker, { logger: false, runtime });
      const error: unknown = await asking.lang().catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(WorkerNotFoundError);
    });
  });
}
