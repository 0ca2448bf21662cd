import { expect } from 'chai';
import { App, bootstrap, Connection, inject, Module, OnStart, Worker, Task } from 'packet-ts';
import { lines } from 'packet-ts/framing';
import { createTestApp } from 'packet-ts/testing';
import { healthOf } from '../../src/app/report/health.js';
import { atEnd, spawnScript, tcpClient, waitFor } from '../kit/index.js';
import { SmallWorker } from '../fixtures/workers/small.worker.js';

@Connection({ listen: 'tcp://127.0.0.1:0', framing: lines() })
class Line {}

@Worker('never_starts', { autoLoad: false, timeout: '1s', restart: { maxFailedStarts: 1 } })
class NeverStarts {
  constructor() {
    throw new Error('no');
  }
  @Task() nothing(): void {}
}

@Module({ connections: [Line], workers: [SmallWorker, NeverStarts] })
class HealthModule {}

describe('health()', () => {
  it('is not ready before everything has started, and from the moment on that it closes', async () => {
    const seen: string[] = [];
    const tell = (app: App): void => {
      const { live, ready, details } = app.health();
      seen.push(`${details.state} ${live} ${ready}`);
    };
    class Early {
      constructor(@inject(App) private readonly app: App) {}
      @OnStart() protected start(): void {
        tell(this.app);
      }
    }
    @Module({ imports: [HealthModule], providers: [Early] })
    class AppModule {}
    const app = await createTestApp(AppModule).start();
    tell(app);
    const closing = app.close();
    tell(app);
    await closing;
    tell(app);
    expect(seen).to.deep.equal(['starting true false', 'running true true', 'closing true false', 'closed false false']);
  });

  it('tells of connections and workers', async () => {
    const app = await createTestApp(HealthModule).start();
    atEnd(() => app.close());
    await app.connect(Line);
    await waitFor(() => app.health().details.handlers[0]?.connections === 1);
    const { handlers, workers } = app.health().details;
    expect(handlers).to.deep.equal([{ handler: 'Line', urls: [app.address(Line).url], connections: 1 }]);
    expect(workers).to.deep.equal([{ worker: 'small_worker', key: undefined, state: 'ready', processes: 1, running: 0, queued: 0 }]);
  });

  it('is not ready while a started worker cannot be started', async () => {
    const app = await createTestApp(HealthModule).start();
    atEnd(() => app.close());
    await app.workers.start(NeverStarts).catch(() => {});
    expect(app.health()).to.deep.include({ live: true, ready: false });
    expect(app.health().details.workers.map(({ worker, state }) => [worker, state])).to.deep.include(['never_starts', 'failed']);
  });

  it('takes a worker that is being stopped, or restarted, for no illness', () => {
    const handle = { name: 'w', key: undefined };
    const ready = (state: 'starting' | 'stopping' | 'ready' | 'stopped'): boolean =>
      healthOf({ state: 'running', handlers: [], handles: [{ ...handle, state }], rows: [] }).ready;
    expect((['starting', 'stopping', 'ready', 'stopped'] as const).map(ready)).to.deep.equal([true, true, true, true]);
  });
});

describe('shutdownDelay', () => {
  it('keeps listeners open while the application is not ready any more, until a second signal', async () => {
    const script = spawnScript(new URL('../fixtures/start/delayed.main.js', import.meta.url));
    const port = Number((await script.line('port')).slice('port '.length));
    const ask = async (): Promise<string> => {
      const client = await tcpClient(port);
      await client.send('?\n');
      const answer = await client.line();
      void client.destroy();
      return answer;
    };
    expect(await ask()).to.equal('true true');
    script.kill('SIGTERM');
    await waitFor(async () => (await ask()) === 'true false');
    expect(await ask()).to.equal('true false');
    script.kill('SIGINT');
    await script.line('closed');
    expect(await script.exit()).to.deep.equal({ code: 0, signal: null });
  });
});

describe('the name of an application', () => {
  it('is that of its module, or what it was given, and unlike that of any other that runs', async () => {
    @Module({})
    class Nameless {}
    const start = (name?: string): Promise<App> => bootstrap(Nameless, { name, signals: false, logger: false });
    const apps = [await start(), await start(), await start('shop')];
    expect(apps.map(({ name }) => name)).to.deep.equal(['Nameless', 'Nameless#2', 'shop']);
    await Promise.all(apps.map(app => app.close()));
    const again = await start();
    expect(again.name).to.equal('Nameless');
    await again.close();
    await again.closed;
  });
});
