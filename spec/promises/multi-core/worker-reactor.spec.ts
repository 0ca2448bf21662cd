import { expect } from 'chai';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { bootstrap, InjectWorker, Logger, Module, type App, type WorkerClient } from 'packet-ts';
import { EdgeHelper } from '../../fixtures/connections/edge.worker.js';
import { WholeConnection, WholeWorker } from '../../fixtures/workers/whole.worker.js';
import { atEnd, tcpClient, waitFor } from '../../kit/index.js';

/** What the application's logger was told. */
class Said extends Logger {
  static readonly lines: string[] = [];
  override trace(): void {}
  override debug(): void {}
  override info(object: unknown, message?: string): void {
    Said.lines.push(`${JSON.stringify(object)} ${message}`);
  }
  override warn(object: unknown, message?: string): void {
    this.info(object, message);
  }
  override error(object: unknown, message?: string): void {
    this.info(object, message);
  }
  override fatal(object: unknown, message?: string): void {
    this.info(object, message);
  }
  override child(): Logger {
    return this;
  }
}

class Asker {
  constructor(@InjectWorker(WholeWorker) readonly whole: WorkerClient<WholeWorker>) {}
}

@Module({ workers: [WholeWorker, EdgeHelper], providers: [Asker] })
class AppModule {}

describe('a worker is a whole reactor', function () {
  let app: App;
  const unasked: unknown[] = [];

  before(async () => {
    app = await bootstrap(AppModule, { logger: new Said(), signals: false });
    app.workers.on('message', data => void unasked.push(data));
  });
  after(() => app.close({ timeout: '5s' }));

  const said = (pattern: RegExp): Promise<boolean> => waitFor(() => Said.lines.some(line => pattern.test(line)), { within: '5s' });

  it('its connections get the worker instance, its providers and a logger', async () => {
    const client = await tcpClient(app.address(WholeConnection).port);
    await client.send('one\ntwo\n');
    expect(await client.lines(2)).to.deep.equal(['1 store,worker', '2 store,worker']);
    expect(await app.get(Asker).whole.seen()).to.equal(2);
    await said(/one.*a line has come/);
    await client.destroy();
  });

  it('it dials, and calls other workers with an answer', async () => {
    const server = createServer(socket => socket.resume().end('from outside\n')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    atEnd(() => void server.close());
    const { port } = server.address() as AddressInfo;
    expect(await app.get(Asker).whole.relay({ port, line: 'x' })).to.equal('FROM OUTSIDE');
  });

  it('its timers run; what it says to the master arrives', async () => {
    const ticks = (): number => {
      const said = app.workers.status().find(({ name }) => name === 'whole')?.status as { ticks: number } | undefined;
      return said?.ticks ?? 0;
    };
    await waitFor(() => ticks() > 2, { within: '5s' });
    await app.get(Asker).whole.report('nobody asked');
    await waitFor(() => unasked.includes('nobody asked'));
  });

  it('what it prints reaches the logger, to the last word', async () => {
    await said(/the worker has started/);
    await app.close();
    await said(/the worker stops after 2 lines/);
  });
});
