import { expect } from 'chai';
import {
  Connection,
  Every,
  inject,
  InjectOptions,
  InjectWorker,
  Master,
  Module,
  OnClose,
  OnConnect,
  OnData,
  OnError,
  OnStart,
  OnWorkerData,
  OnWorkerEvent,
  type Options,
  Peer,
  Proxy,
  type ProxyCall,
  Reactor,
  Task,
  type TaskContext,
  Worker,
  type WorkerClient,
  WorkerNotFoundError,
  WorkerProxy,
} from 'packet-ts';
import { lines, objects } from 'packet-ts/framing';
import { createTestApp } from 'packet-ts/testing';
import { z } from 'zod';
import { waitFor } from '../kit/index.js';

/** Each line of docs/from-packet.md that names this file stands here, and runs. spec/docs/pages.spec.ts compares them. */
const heard: unknown[] = [];

@Worker('log_worker', { timeout: '5s' })
class LogWorker {
  @OnData() protected log(line: unknown): void {
    heard.push(line);
  }
}

@Proxy()
class FooHandler extends WorkerProxy<FooWorker> {
  readonly cache = new Map<number, number>();

  async square(n: number, call: ProxyCall): Promise<number> {
    const known = this.cache.get(n);
    if (known !== undefined) return known;
    const answer = await this.worker.square(n, call);
    this.cache.set(n, answer);
    return answer;
  }

  @OnData() protected unasked(data: unknown): void {
    heard.push(data);
  }
}

@Worker('foo_worker', { autoLoad: false, timeout: '5s', proxy: () => FooHandler })
class FooWorker {
  ticks = 0;

  constructor(
    @inject(Master) readonly master: Master,
    @InjectOptions() readonly options: Options<{ tenant: string }>,
    @InjectWorker(LogWorker) readonly logger: WorkerClient<LogWorker>,
  ) {}

  @OnStart() protected init(): void {
    this.master.status({ serving: this.options.tenant });
  }

  @Every('10ms') protected tick(): void {
    this.ticks++;
  }

  @Task({ input: z.number(), output: z.number() }) square(n: number): number {
    return n * n;
  }

  @Task({ input: z.number(), events: { progress: z.number() }, output: z.string() })
  async work(steps: number, { emit, status }: TaskContext<{ progress: number }>): Promise<string> {
    for (let done = 1; done <= steps; done++) await emit('progress', done);
    status({ worked: steps });
    return this.options.tenant;
  }

  @Task() async talk(): Promise<void> {
    this.logger.tell('a line for the log');
    await this.master.send({ unasked: true });
  }

  @OnData() protected receive(data: unknown): unknown {
    return { answer: data };
  }
}

@Connection({ listen: 'tcp://127.0.0.1:0', framing: lines() })
class FooServer {
  constructor(
    @inject(Peer) readonly peer: Peer<string, string>,
    @InjectWorker(FooWorker, { key: 'gold' }) readonly foo: WorkerClient<FooWorker>,
  ) {}

  @OnConnect() hello(): string {
    return 'ready';
  }

  @OnData() async receive(line: string): Promise<string | void> {
    if (line === 'tell') return this.foo.tell({ line });
    if (line === 'work') return this.foo.work(2, { tag: 'mine' });
    return String(await this.foo.square(Number(line)));
  }

  @OnWorkerData(FooWorker) answered(data: unknown): string {
    return JSON.stringify(data);
  }

  @OnWorkerEvent(FooWorker, 'progress') progressed(done: number, { tag }: { tag?: unknown }): string {
    return `${String(tag)} ${done}`;
  }

  @OnError() explain(error: Error): string {
    return error.name;
  }
}

@Connection({ listen: 'tcp://127.0.0.1:0', framing: objects<unknown, unknown>() })
class ObjectServer {
  @OnData() receive(object: unknown): unknown {
    return object;
  }
}

@Connection({ framing: lines() })
class FooClient {
  static readonly closed: string[] = [];
  @OnClose() unbind({ by }: { by: string }): void {
    FooClient.closed.push(by);
  }
}

@Module({ connections: [FooServer, ObjectServer], workers: [FooWorker, LogWorker] })
class AppModule {}

describe('what users of Packet look for', function () {
  let app: Awaited<ReturnType<ReturnType<typeof createTestApp>['start']>>;

  beforeEach(async () => {
    heard.length = 0;
    app = await createTestApp(AppModule).start();
  });
  afterEach(() => app.close());

  it('runs: workers that are started and stopped by key, with options, status and lists', async () => {
    const { workers } = app;
    const handle = await workers.start(FooWorker, { key: 'gold', options: { tenant: 'acme' } });
    expect(handle).to.include({ name: 'foo_worker', key: 'gold', state: 'ready' });
    await waitFor(() => workers.status().some(({ status }) => (status as { serving?: string } | undefined)?.serving === 'acme'));
    expect(workers.list().map(({ name }) => name)).to.have.members(['log_worker', 'foo_worker']);
    expect(await workers.start(FooWorker, { key: 'gold', options: { tenant: 'acme' } })).to.equal(handle);
    expect(workers.get(FooWorker, 'gold')).to.equal(handle);
    await workers.stop(handle);
    expect(workers.get(FooWorker, 'gold')).to.equal(undefined);
  });

  it('runs: asking a worker, its answer to the instance that asked, its events, and an unknown key', async () => {
    const early = await app.connect<string, string>(FooServer);
    await early.expect('ready');
    early.send('3');
    await early.expect(WorkerNotFoundError.name);
    await app.workers.start(FooWorker, { key: 'gold', options: { tenant: 'acme' } });
    early.send('3');
    await early.expect('9');
    early.send('tell');
    await early.expect('{"answer":{"line":"tell"}}');
    early.send('work');
    await early.expect('mine 1');
    await early.expect('mine 2');
    await early.expect('acme');
  });

  it('runs: worker to worker, the log worker, unasked messages to the proxy', async () => {
    await app.workers.start(FooWorker, { key: 'gold', options: { tenant: 'acme' } });
    class Caller {
      constructor(readonly foo: WorkerClient<FooWorker>) {}
    }
    InjectWorker(FooWorker, { key: 'gold' })(Caller, undefined, 0);
    @Module({ imports: [AppModule], providers: [Caller] })
    class WithCaller {}
    const other = await createTestApp(WithCaller).start();
    try {
      await other.workers.start(FooWorker, { key: 'gold', options: { tenant: 'other' } });
      const { foo } = other.get(Caller);
      await foo.talk();
      await waitFor(() => heard.length === 2);
      expect(heard).to.have.deep.members(['a line for the log', { unasked: true }]);
      const seen: number[] = [];
      expect(await foo.work(3, { on: { progress: done => seen.push(done) } })).to.equal('other');
      expect(seen).to.deep.equal([1, 2, 3]);
      expect(await foo.ask({ any: 'object' })).to.deep.equal({ answer: { any: 'object' } });
    } finally {
      await other.close();
    }
  });

  it('runs: send_object, and what BinParser took apart', async () => {
    const client = await app.connect(ObjectServer);
    const object = { list: [1, new Date(0)], map: new Map([['a', 1n]]) };
    client.send(object);
    expect(await client.next()).to.deep.equal(object);
  });

  it('runs: clients that come back', async () => {
    const server = await app.accept('memory:from-packet');
    const dialer = app.get(Reactor).dial(FooClient, server.url, { reconnect: { delay: '5ms', jitter: false } });
    const first = await server.next({ framing: lines() });
    first.destroy();
    const second = await server.next({ framing: lines() });
    await waitFor(() => dialer.state === 'up');
    expect(FooClient.closed).to.deep.equal(['peer']);
    second.destroy();
    await dialer.close();
  });
});
