import diagnostics from 'node:diagnostics_channel';
import { expect } from 'chai';
import { context, propagation, SpanStatusCode, trace, type TracerProvider } from '@opentelemetry/api';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor, type ReadableSpan } from '@opentelemetry/sdk-trace-node';
import { bootstrap, Connection, InjectWorker, Module, OnData, UsageError, type App, type WorkerClient } from 'packet-ts';
import { lines } from 'packet-ts/framing';
import { OnRequest } from 'packet-ts/http';
import { tracing } from 'packet-ts/otel';
import { createTestApp } from 'packet-ts/testing';
import { atEnd, waitFor } from '../kit/index.js';
import { ChainFirst, ChainSecond, ChainThird } from '../fixtures/workers/chain.worker.js';
import { AroundWorker } from '../fixtures/workers/around.worker.js';

const exporter = new InMemorySpanExporter();

@Connection({ listen: 'http://127.0.0.1:0' })
class Web {
  constructor(@InjectWorker(ChainFirst) private readonly first: WorkerClient<ChainFirst>) {}
  @OnRequest() async answer(request: Request): Promise<Response> {
    trace.getTracer('user').startSpan('by the user').end();
    return Response.json(await this.first.relay(new URL(request.url).pathname.slice(1)));
  }
}

@Module({ connections: [Web], workers: [ChainFirst, ChainSecond, ChainThird] })
class ChainModule {}

/** The spans as a tree of names, children in the order of their begin. */
function tree(spans: readonly ReadableSpan[], parent?: string): unknown[] {
  return spans
    .filter(({ parentSpanContext }) => parentSpanContext?.spanId === parent)
    .toSorted((a, b) => a.startTime[0] - b.startTime[0] || a.startTime[1] - b.startTime[1])
    .map(span => {
      const children = tree(spans, span.spanContext().spanId);
      return children.length === 0 ? span.name : [span.name, children];
    });
}

const spanNamed = (name: string): ReadableSpan => exporter.getFinishedSpans().find(span => span.name === name)!;

describe('tracing()', () => {
  let provider: NodeTracerProvider;
  before(() => {
    provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
    provider.register();
  });
  beforeEach(() => exporter.reset());
  after(async () => {
    await provider.shutdown();
    for (const api of [trace, context, propagation]) api.disable();
  });

  describe('of a request that goes through four processes', () => {
    let app: App;
    before(async function () {
      this.timeout(30_000);
      app = await bootstrap(ChainModule, { signals: false, logger: false });
      tracing(app);
    });
    after(() => app.close());

    const ask = async (what: string, headers: Record<string, string> = {}): Promise<Response> => {
      const answer = await fetch(new URL(what, app.address(Web).url), { headers });
      await answer.clone().text();
      await waitFor(() => spanNamed('GET') !== undefined);
      return answer;
    };

    it('is one tree: the request, its calls, the time that each waited and ran, and what the user adds', async () => {
      const answer = await ask('x', { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' });
      const spans = exporter.getFinishedSpans();
      const call = (name: string, ...children: unknown[]): unknown[] => [name, ['queued', 'run', ...children]];
      const [root] = tree(spans, 'b7ad6b7169203331') as [[string, unknown[]]];
      expect(root[0]).to.equal('GET');
      const names = (node: unknown): unknown => (Array.isArray(node) ? [node[0], new Set((node[1] as unknown[]).map(names))] : node);
      const third = call('chain_third/answer');
      const second = call('chain_second/relay', third);
      const first = call('chain_first/relay', second);
      expect(names(root)).to.deep.equal(names(['GET', ['by the user', first]]));
      expect(new Set(spans.map(span => span.spanContext().traceId))).to.deep.equal(new Set(['0af7651916cd43dd8448eb211c80319c']));
      // Each task was told of the span of its own call.
      const ids = ['chain_first/relay', 'chain_second/relay', 'chain_third/answer'].map(name => spanNamed(name).spanContext().spanId);
      expect(((await answer.json()) as string[]).map(parent => parent.split('-')[2])).to.deep.equal(ids);
      expect(new Set(spans.filter(({ name }) => name === 'run').map(({ attributes }) => attributes['process.pid']))).to.have.property(
        'size',
        3,
      );
      expect(spanNamed('GET').attributes).to.include({ 'http.request.method': 'GET', 'url.path': '/x', 'http.response.status_code': 200 });
    });

    it('ends the span of a task whose process is killed, with that error', async () => {
      expect((await ask('die')).status).to.equal(500);
      const third = spanNamed('chain_third/answer');
      expect(third.status.code).to.equal(SpanStatusCode.ERROR);
      expect(third.attributes).to.include({ 'error.type': 'ERR_PACKET_WORKER_CRASHED', 'packet_ts.outcome': 'crashed' });
      const runs = exporter.getFinishedSpans().filter(({ name }) => name === 'run');
      expect(runs.map(({ status }) => status.code)).to.deep.equal([SpanStatusCode.ERROR, SpanStatusCode.ERROR, SpanStatusCode.ERROR]);
      expect(spanNamed('GET').status.code).to.equal(SpanStatusCode.ERROR);
      expect(exporter.getFinishedSpans().filter(({ ended }) => !ended)).to.deep.equal([]);
    });

    it('has the error of a task on its span and on those above', async () => {
      await ask('throw');
      const third = spanNamed('chain_third/answer');
      expect(third.events.map(({ name, attributes }) => [name, attributes?.['exception.message']])).to.deep.equal([
        ['exception', 'too far'],
      ]);
      expect(third.attributes).to.include({ 'error.type': 'RangeError', 'packet_ts.outcome': 'failed' });
    });
  });

  it('makes spans of messages, and of the calls below them', async () => {
    @Connection({ listen: 'tcp://127.0.0.1:0', framing: lines() })
    class Line {
      constructor(@InjectWorker(AroundWorker) private readonly worker: WorkerClient<AroundWorker>) {}
      @OnData() async handle(text: string): Promise<string> {
        await Promise.resolve();
        return this.worker.plain(text);
      }
    }
    @Module({ connections: [Line], workers: [AroundWorker] })
    class AppModule {}
    const app = await createTestApp(AppModule).start();
    atEnd(() => app.close());
    const ending = tracing(app);
    const client = await app.connect(Line);
    client.send('a');
    await client.expect('plain a');
    await waitFor(() => spanNamed('Line message') !== undefined);
    expect(tree(exporter.getFinishedSpans())).to.deep.equal([['Line message', [['around_worker/plain', ['queued', 'run']]]]]);
    ending.end();
    exporter.reset();
    client.send('b');
    await client.expect('plain b');
    expect(exporter.getFinishedSpans()).to.deep.equal([]);
  });

  it('leaves other applications of the process alone, and ends with its own', async () => {
    @Connection({ listen: 'tcp://127.0.0.1:0', framing: lines() })
    class Line {
      @OnData() handle(text: string): string {
        return text;
      }
    }
    @Module({ connections: [Line] })
    class AppModule {}
    const [first, second] = [await createTestApp(AppModule).start(), await createTestApp(AppModule).start()];
    atEnd(() => second.close());
    tracing(first);
    const client = await second.connect(Line);
    client.send('a');
    await client.expect('a');
    await first.close();
    client.send('b');
    await client.expect('b');
    expect(exporter.getFinishedSpans()).to.deep.equal([]);
  });

  it('takes a provider that is not registered, and says which option it does not know', async () => {
    const own = new InMemorySpanExporter();
    const tracerProvider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(own)] });
    @Connection({ listen: 'tcp://127.0.0.1:0', framing: lines() })
    class Line {
      @OnData() handle(text: string): string {
        return text;
      }
    }
    @Module({ connections: [Line] })
    class AppModule {}
    const app = await createTestApp(AppModule).start();
    atEnd(() => app.close());
    tracing(app, { tracerProvider });
    const client = await app.connect(Line);
    client.send('a');
    await client.expect('a');
    await waitFor(() => own.getFinishedSpans().length === 1);
    expect(() => tracing(app, { provider: 1 } as never)).to.throw(UsageError, "tracing() has no option 'provider'");
    await tracerProvider.shutdown();
  });

  it('with an SDK that throws is told once for each kind, and stops nothing', async () => {
    const broken = (): never => {
      throw new Error('no exporter');
    };
    const tracerProvider: TracerProvider = { getTracer: () => ({ startSpan: broken, startActiveSpan: broken }) };
    @Connection({ listen: 'tcp://127.0.0.1:0', framing: lines() })
    class Line {
      constructor(@InjectWorker(AroundWorker) private readonly worker: WorkerClient<AroundWorker>) {}
      @OnData() handle(text: string): Promise<string> {
        return this.worker.plain(text);
      }
    }
    @Module({ connections: [Line], workers: [AroundWorker] })
    class AppModule {}
    const app = await createTestApp(AppModule).start();
    atEnd(() => app.close());
    tracing(app, { tracerProvider });
    const warnings: unknown[] = [];
    const listen = (warning: unknown): void => void warnings.push((warning as { message: string }).message);
    diagnostics.subscribe('packet-ts:app.warning', listen);
    atEnd(() => diagnostics.unsubscribe('packet-ts:app.warning', listen));
    const client = await app.connect(Line);
    for (const text of ['a', 'b']) {
      client.send(text);
      await client.expect(`plain ${text}`);
    }
    const message = 'tracing() failed: what is observed goes on without it';
    expect(warnings, 'of messages, and of calls').to.deep.equal([message, message]);
  });
});
