import { expect } from 'chai';
import { pino } from 'pino';
import { bootstrap, Connection, InjectWorker, Module, OnData, Peer, type App, type WorkerClient } from 'packet-ts';
import { lines } from 'packet-ts/framing';
import { createTestApp } from 'packet-ts/testing';
import { atEnd, tcpClient, waitFor } from '../kit/index.js';
import { strictJson } from '../logging/support/strict-json.js';
import { LoggingWorker } from '../fixtures/logging/logging.worker.js';

@Connection({ listen: 'tcp://127.0.0.1:0', framing: lines() })
class Line {
  constructor(
    @InjectWorker(LoggingWorker) private readonly worker: WorkerClient<LoggingWorker>,
    readonly peer: Peer,
  ) {}
  @OnData() async handle(text: string): Promise<string> {
    if (text === 'odd') await this.worker.odd();
    else if (text === 'dies') await this.worker.dies().catch(() => {});
    else if (text.startsWith('flood')) await this.worker.flood(Number(text.slice(5)));
    else await this.worker.say(text);
    return `${this.peer.id} done`;
  }
}

@Module({ connections: [Line], workers: [LoggingWorker] })
class LoggingModule {}

type Written = Record<string, unknown>;

async function started(
  runtime: 'process' | 'inline',
  level = 'info',
): Promise<{ app: App; written: Written[]; ask(text: string): Promise<string> }> {
  const written: Written[] = [];
  const logger = pino({ level, redact: ['password'] }, { write: line => written.push(strictJson(line) as Written) });
  const app =
    runtime === 'process'
      ? await bootstrap(LoggingModule, { signals: false, logger })
      : await createTestApp(LoggingModule).start({ runtime, logger });
  atEnd(() => app.close());
  if (runtime === 'process') {
    const client = await tcpClient(app.address(Line).port);
    return {
      app,
      written,
      ask: async text => {
        await client.send(`${text}\n`);
        return client.line({ within: '20s' });
      },
    };
  }
  const client = await (app as Awaited<ReturnType<ReturnType<typeof createTestApp>['start']>>).connect(Line);
  return {
    app,
    written,
    ask: async text => {
      client.send(text);
      return String(await client.next({ within: '20s' }));
    },
  };
}

describe('the log of a worker', () => {
  for (const runtime of ['inline', 'process'] as const) {
    it(`is the application's: level, time, object, redaction, and where it comes from (${runtime})`, async () => {
      const { app, written, ask } = await started(runtime);
      const [connection] = (await ask('hello')).split(' ');
      const record = await waitFor(() => written.find(({ msg }) => msg === 'as asked'));
      const row = app.workers.status()[0]!;
      expect(record).to.include({
        level: 50,
        what: 'hello',
        password: '[Redacted]',
        handler: 'LoggingWorker',
        worker: 'logging_worker',
        process: row.id,
        workerPid: row.pid,
        task: 'say',
        connection,
      });
      expect(record['err']).to.include({ type: 'RangeError', message: 'too far' });
      const start = written.find(({ msg }) => msg === 'started');
      expect(start).to.include({ level: 30, warmed: true, worker: 'logging_worker' }).and.to.not.have.any.keys('task', 'connection');
      expect(written.some(({ msg }) => msg === 'too low')).to.equal(false);
    });
  }

  it('has the level of the application’s logger', async () => {
    const { written } = await started('process', 'debug');
    await waitFor(() => written.some(({ msg, level }) => msg === 'too low' && level === 20));
  });

  it('cannot say where it comes from, nor have a key twice', async () => {
    const { app, written, ask } = await started('process');
    await ask('odd');
    const record = await waitFor(() => written.find(({ msg }) => msg === 'outer'));
    expect(record).to.include({ level: 40, level_: 'x', time_: 'y', msg_: 'inner', pid_: 1, worker: 'logging_worker' });
    expect(record['process']).to.equal(app.workers.status()[0]!.id);
  });

  it('is there to its last words', async () => {
    const { written, ask } = await started('process');
    await ask('dies');
    await waitFor(() => written.some(({ msg, level }) => msg === 'last words' && level === 60));
  });

  it('loses, where it floods, records and not calls, and says how many', async function () {
    this.timeout(60_000);
    this.slow(20_000);
    const { written, ask } = await started('process');
    await ask('flood20000');
    await ask('after');
    await waitFor(() => written.some(({ what }) => what === 'after'), { within: '30s' });
    const told = written.filter(({ msg }) => msg === 'flood').length;
    const untold = written.reduce((sum, record) => sum + (typeof record['untold'] === 'number' ? record['untold'] : 0), 0);
    expect(told).to.be.within(1000, 20_000);
    expect(told + untold).to.equal(20_000);
  });
});
