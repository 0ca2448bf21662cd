import { execFile } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { watch } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { promisify } from 'node:util';
import { expect } from 'chai';
import {
  bootstrap,
  channel,
  type Channel,
  Connection,
  exec,
  type ExitStatus,
  inject,
  injectable,
  Module,
  OnData,
  OnExit,
  Peer,
  spawn,
} from 'packet-ts';
import { delimited, fixed, headerAndBody, lines, objects, raw } from 'packet-ts/framing';
import { createTestApp } from 'packet-ts/testing';
import { SmallWorker } from '../fixtures/workers/small.worker.js';
import { Journal } from '../kit/signals.js';
import { waitFor } from '../kit/index.js';

/** Each line of docs/from-eventmachine.md that names this file stands here, and runs. */
const News = channel<string>('eventmachine-news');

@injectable()
class Board {
  constructor(@inject(News) readonly news: Channel<string>) {}
}

@Module({ providers: [Board] })
class AppModule {}

describe('what users of EventMachine’s helpers look for:', function () {
  it('defer, ThreadedResource, Pool', async () => {
    const worker = await spawn(SmallWorker, { maxWorkers: 4, logger: false });
    const answer = await worker.echo('in another process', { timeout: '5s' });
    expect(answer).to.equal('in another process');
    const failure = await worker.fail('no').catch((error: Error) => error.message);
    expect(failure).to.equal('no');
    await worker.close();
  });

  it('Deferrable, Completion', async () => {
    let succeed!: (value: string) => void;
    const completion = new Promise<string>(resolve => (succeed = resolve));
    const told = completion.then(
      value => `callback ${value}`,
      (error: Error) => `errback ${error.message}`,
    );
    succeed('done');
    succeed('ignored');
    expect(await told).to.equal('callback done');
    const late = AbortSignal.timeout(5);
    const timeout = new Promise((_, reject) => late.addEventListener('abort', () => reject(late.reason as Error)));
    expect(await timeout.catch((error: Error) => error.name)).to.equal('TimeoutError');
  });

  it('Queue', async () => {
    const queue = new PassThrough({ objectMode: true, highWaterMark: 1000 });
    queue.write('job 1');
    queue.end('job 2');
    const done: unknown[] = [];
    for await (const job of queue) done.push(job);
    expect(done).to.deep.equal(['job 1', 'job 2']);
  });

  it('Channel', async () => {
    const app = await bootstrap(AppModule, { logger: false, signals: false });
    const { news } = app.get(Board);
    const heard: string[] = [];
    const subscription = news.subscribe(item => heard.push(item));
    news.publish('one');
    await waitFor(() => heard.length === 1);
    subscription[Symbol.dispose]();
    news.publish('two');
    await app.close();
    expect(heard).to.deep.equal(['one']);
  });

  it('Iterator', async () => {
    const list = [1, 2, 3, 4];
    const doubled: unknown[] = await Readable.from(list)
      .map((n: number) => n * 2, { concurrency: 2 })
      .toArray();
    expect(doubled).to.deep.equal([2, 4, 6, 8]);
    const sum = list.reduce((total, n) => total + n, 0);
    expect(sum).to.equal(10);
  });

  it('popen, system', async () => {
    const journal = new Journal();
    @Connection({ framing: lines() })
    class Command {
      constructor(readonly peer: Peer<string, string>) {}
      @OnData() receive(line: string) {
        journal.note(line);
      }
      @OnExit() ended({ code, signal }: ExitStatus) {
        journal.note(`exit ${code ?? signal}`);
      }
    }
    const app = await bootstrap(AppModule, { logger: false, signals: false });
    const { reactor } = app;
    const sort = await reactor.connect(Command, exec('sort', ['-r'], { stderr: 'log' }));
    expect(sort.peer.remote.pid).to.be.a('number');
    sort.peer.send('a');
    sort.peer.send('b');
    sort.peer.halfClose();
    await journal.has('exit 0');
    expect(journal.entries).to.deep.equal(['b', 'a', 'exit 0']);
    await app.close();
    const { stdout } = await promisify(execFile)('echo', ['hello']);
    expect(stdout).to.equal('hello\n');
  });

  it('watch_file, DNS', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'packet-'));
    const stop = new AbortController();
    let changed: string | null = null;
    const seen = (async () => {
      for await (const { filename } of watch(folder, { signal: stop.signal })) changed = filename;
    })();
    await waitFor(() => {
      writeFileSync(join(folder, 'file'), 'changed');
      return changed === 'file';
    });
    stop.abort();
    expect(await seen.catch((error: Error) => error.name)).to.equal('AbortError');
    rmSync(folder, { recursive: true });
    const { address } = await lookup('localhost');
    expect(address).to.match(/^127\.|^::1$/);
  });

  it('framings', async () => {
    @Connection({ listen: 'memory:framings', framing: lines() })
    class Switches {
      constructor(private readonly peer: Peer) {}
      @OnData() receive(message: string | Buffer) {
        if (message === 'binary 4') this.peer.setFraming(fixed(4));
        if (typeof message !== 'string') this.peer.setFraming(lines());
        return typeof message === 'string' ? message : undefined;
      }
    }
    @Module({ connections: [Switches] })
    class Framings {}
    const app = await createTestApp(Framings).start();
    const client = await app.connect(Switches, { framing: raw() });
    client.send('binary 4\nabcdback to lines\n');
    await client.readUntil('back to lines\n');
    await app.close();
    for (const framing of [lines({ maxLength: '64kb' }), delimited(/\r\n?/, { send: '\r\n' }), headerAndBody(), objects()])
      expect(framing).to.respondTo('decoder');
  });
});
