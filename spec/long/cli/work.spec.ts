import { expect } from 'chai';
import { bootstrap, Module, OnStart, InjectWorker, injectable, type WorkerClient } from 'packet-ts';
import { nats } from 'packet-ts/nats';
import { Where } from '../../fixtures/cli/web.module.js';
import { needsProgram } from '../../kit/index.js';
import { natsServer } from '../../kit/programs/nats-server.js';
import { fixture, outcomeOf, packetTs } from '../../cli/kit.js';

@injectable()
class Asker {
  pid = 0;

  constructor(@InjectWorker(Where) private readonly where: WorkerClient<Where>) {}

  @OnStart() async ask(): Promise<void> {
    this.pid = await this.where.pid();
  }
}

@Module({ workers: [Where], providers: [Asker] })
class CallerModule {}

describe('packet-ts work', function () {
  this.timeout(60_000);

  it('says which options are missing, and what is no mesh', async () => {
    const file = fixture('web.module.js');
    expect((await outcomeOf(['work', file, '--mesh', 'nats://127.0.0.1:1'])).err).to.include('--worker is missing');
    expect((await outcomeOf(['work', file, '--worker', 'where'])).err).to.include('--mesh is missing');
    const { code, err } = await outcomeOf(['work', file, '--worker', 'where', '--mesh', 'redis://127.0.0.1:1']);
    expect(code).to.equal(2);
    expect(err).to.include('--mesh takes the url of a NATS server');
  });

  describe('over NATS', () => {
    if (!needsProgram('nats-server')) return;

    it('offers a worker to an application elsewhere, drains on SIGTERM, and names workers that there are not', async () => {
      const { url } = await natsServer();
      const host = packetTs(['work', fixture('web.module.js'), '--worker', 'where', '--mesh', url, '--name', 'far']);
      await host.errorLine(/where/, { within: '30s' });
      const app = await bootstrap(CallerModule, {
        mesh: nats({ servers: url }),
        placement: { where: 'remote' },
        logger: false,
        signals: false,
      });
      expect(app.get(Asker).pid).to.be.greaterThan(0);
      expect(app.get(Asker).pid).not.to.equal(process.pid);
      expect(app.workers.status().map(({ host: name }) => name)).to.include('far');
      await app.close();
      host.kill('SIGTERM');
      expect(await host.exit({ within: '20s' })).to.deep.equal({ code: 0, signal: null });
      const wrong = await outcomeOf(['work', fixture('web.module.js'), '--worker', 'were', '--mesh', url]);
      expect(wrong.code).to.equal(1);
      expect(wrong.err).to.include(`'were' is no worker of the module`);
    });
  });
});
