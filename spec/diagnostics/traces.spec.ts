import { expect } from 'chai';
import {
  bootstrap,
  Connection,
  InjectWorker,
  Module,
  OnData,
  OnError,
  OnStart,
  Peer,
  type App,
  type CallTrace,
  type WorkerClient,
} from 'packet-ts';
import { lines } from 'packet-ts/framing';
import { OnRequest } from 'packet-ts/http';
import { createTestApp } from 'packet-ts/testing';
import { callTraces, messageTraces, requestTraces } from '../../src/diagnostics/traces.js';
import { atEnd, waitFor } from '../kit/index.js';
import { traced } from '../kit/traces.js';
import { AroundWorker } from '../fixtures/workers/around.worker.js';
import { Inner, Outer } from '../fixtures/workers/nested.worker.js';

class Asks {
  constructor(
    @InjectWorker(AroundWorker) readonly worker: WorkerClient<AroundWorker>,
    @InjectWorker(Outer) readonly outer: WorkerClient<Outer>,
  ) {}
  @OnStart() protected start(): void {}
}

@Module({ providers: [Asks], workers: [AroundWorker, Outer, Inner] })
class TracedModule {}

async function start(runtime: 'inline' | 'process' = 'inline'): Promise<{ app: App; asks: Asks }> {
  const app = await createTestApp(TracedModule).start({ runtime });
  atEnd(() => app.close());
  return { app, asks: app.get<Asks>(Asks) };
}

describe('the channel of calls', () => {
  it('has one object for each call, from its start to its end', async () => {
    const { app, asks } = await start();
    const calls = traced(callTraces);
    const answer = asks.worker.plain('a', { carrier: { user: 'u' } });
    expect(calls.told).to.deep.equal(['start', 'end']);
    expect(calls.seen[0]).to.include({ outcome: undefined, ended: undefined });
    await answer;
    expect(calls.told).to.deep.equal(['start', 'end', 'asyncStart', 'asyncEnd']);
    const [call] = new Set(calls.seen);
    expect(new Set(calls.seen).size).to.equal(1);
    expect(call).to.deep.include({
      app: app.name,
      worker: 'around_worker',
      key: undefined,
      task: 'plain',
      caller: {},
      parent: undefined,
      carrier: { user: 'u' },
      workerPid: process.pid,
      attempt: 1,
      outcome: 'done',
      code: undefined,
    });
    const { queued, started, ended, bytes, process: id } = call!;
    expect([queued, started!, ended!]).to.deep.equal([queued, started!, ended!].toSorted((a, b) => a - b));
    expect(Math.abs(Date.now() - ended!)).to.be.below(60_000);
    expect(bytes.received).to.be.greaterThan(0);
    expect(id).to.equal(app.workers.status().find(({ name }) => name === 'around_worker')!.id);
  });

  it('says how a call has ended', async () => {
    const { app, asks } = await start();
    const calls = traced(callTraces);
    await asks.worker.failing('x').catch(() => {});
    await app.workers.stop(app.workers.get(AroundWorker)!);
    await asks.worker.plain('x').catch(() => {});
    const ends = calls.seen.filter((_, at) => calls.told[at] === 'asyncEnd');
    expect(ends.map(({ outcome, code }) => [outcome, code])).to.deep.equal([
      ['failed', 'Error'],
      ['refused', 'ERR_PACKET_WORKER_NOT_FOUND'],
    ]);
    expect(ends.map(({ error }) => error?.message.slice(0, 8))).to.deep.equal(['x failed', 'worker a']);
    expect(calls.told.filter(each => each === 'error')).to.have.length(2);
  });

  it('costs a call that began before there was a listener nothing, and tells nothing of it', async () => {
    const { asks } = await start();
    const answer = asks.worker.plain('a');
    const calls = traced(callTraces);
    await answer;
    expect(calls.told).to.deep.equal([]);
  });
});

describe('the carrier of a call', () => {
  for (const runtime of ['inline', 'process'] as const) {
    it(`is seen by its task, and inherited by the calls that the task makes (${runtime})`, async () => {
      const { asks } = await start(runtime);
      const calls = traced(callTraces);
      expect(await asks.outer.relay('x', { carrier: { user: 'u', trace: '1' } })).to.deep.equal({
        outer: { user: 'u', trace: '1' },
        inner: { user: 'u', trace: '2', more: 'y' },
      });
      const [outer, inner] = [...new Set(calls.seen)] as [CallTrace, CallTrace];
      expect(inner.parent).to.equal(outer);
      expect(inner.carrier).to.deep.equal({ user: 'u', trace: '2', more: 'y' });
    });
  }

  it('is empty where none was given', async () => {
    const { asks } = await start();
    expect(await asks.worker.carried('x')).to.deep.equal({});
  });

  it('takes 4 KB of strings and nothing else', async () => {
    const { asks } = await start();
    const fail = (carrier: object): Promise<string> =>
      asks.worker.carried('x', { carrier: carrier as Record<string, string> }).then(
        () => 'taken',
        (error: Error & { code?: string }) => `${error.code} ${error.message}`,
      );
    expect(await fail({ a: 'x'.repeat(4095) })).to.equal('taken');
    expect(await fail({ a: 'x'.repeat(4096) })).to.equal(
      'ERR_PACKET_USAGE around_worker.carried(): carrier has 4097 bytes: it may have 4096',
    );
    // Bytes, not characters.
    expect(await fail({ a: 'ü'.repeat(2048) })).to.match(/has 4097 bytes/);
    expect(await fail({ a: 1 })).to.match(/ERR_PACKET_USAGE .*carrier.a is 1: expected a string/);
    expect(await fail(['a'])).to.match(/ERR_PACKET_USAGE .*expected an object of strings/);
  });

  it('that grows beyond 4 KB on its way fails the call that makes it grow', async () => {
    const { asks } = await start();
    const outcome: unknown = await asks.outer.relay('x', { carrier: { long: 'x'.repeat(4090) } }).catch((error: unknown) => error);
    expect(outcome).to.have.property('code', 'ERR_PACKET_USAGE');
  });
});

describe('the channel of messages', () => {
  it('tells of each message until its answer is handed over, and what it failed with', async () => {
    @Connection({ listen: 'tcp://127.0.0.1:0', framing: lines() })
    class Line {
      constructor(readonly peer: Peer) {}
      @OnData() async handle(text: string): Promise<string> {
        if (text === 'bad') throw new TypeError('bad');
        return text;
      }
      @OnError() explain({ message }: Error): string {
        return message;
      }
    }
    @Module({ connections: [Line] })
    class AppModule {}
    const app = await createTestApp(AppModule).start();
    atEnd(() => app.close());
    const messages = traced(messageTraces);
    const client = await app.connect(Line);
    for (const text of ['good', 'bad']) {
      client.send(text);
      await client.expect(text);
    }
    const ends = messages.seen.filter((_, at) => messages.told[at] === 'asyncEnd');
    expect(ends.map(({ outcome, code }) => [outcome, code])).to.deep.equal([
      ['done', undefined],
      ['failed', 'TypeError'],
    ]);
    const { peer } = [...app.reactor.connections(Line)][0]!;
    expect(ends[0]).to.include({ app: app.name, handler: 'Line', connection: peer.id, remote: peer.remote });
    expect(ends[0]!.ended).to.be.at.least(ends[0]!.started);
  });
});

describe('the channel of requests', () => {
  it('tells of each request with its status, its duration and its bytes', async () => {
    @Connection({ listen: 'http://127.0.0.1:0' })
    class Web {
      @OnRequest() answer(request: Request): Response {
        if (request.url.endsWith('/bad')) throw new Error('bad');
        return new Response('x'.repeat(1000), { status: 201 });
      }
    }
    @Module({ connections: [Web] })
    class AppModule {}
    const app = await bootstrap(AppModule, { signals: false, logger: false });
    atEnd(() => app.close());
    const requests = traced(requestTraces);
    const { url } = app.address(Web);
    await (await fetch(new URL('/good?a=1', url), { method: 'POST', body: 'b', headers: { traceparent: 'p' } })).text();
    await (await fetch(new URL('/bad', url))).text();
    const ends = (): typeof requests.seen => requests.seen.filter((_, at) => requests.told[at] === 'asyncEnd');
    await waitFor(() => ends().length === 2);
    const [good, bad] = ends();
    expect(good).to.include({ app: app.name, handler: 'Web', method: 'POST', target: '/good?a=1', status: 201, outcome: 'done' });
    expect(good!.headers).to.include({ traceparent: 'p' });
    expect(good!.duration).to.equal(good!.ended! - good!.started);
    expect(good!.bytes.sent).to.be.greaterThan(1000);
    expect(bad).to.include({ method: 'GET', status: 500, outcome: 'failed', code: 'Error' });
  });
});
