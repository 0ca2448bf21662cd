import diagnostics from 'node:diagnostics_channel';
import { expect } from 'chai';
import { metrics as api, type Attributes, type MeterProvider as Provider } from '@opentelemetry/api';
import { AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { Connection, Module, UsageError, type App } from 'packet-ts';
import { Get } from 'packet-ts/http';
import { metrics } from 'packet-ts/metrics';
import { metering, tracing } from 'packet-ts/otel';
import { createTestApp } from 'packet-ts/testing';
import { atEnd, waitFor } from '../kit/index.js';
import { AroundWorker } from '../fixtures/workers/around.worker.js';
import { Asks, MeasuredModule, samples } from '../metrics/scrapes.js';

/** A value of a metric; of a histogram its count. */
interface Point {
  readonly name: string;
  readonly attributes: Attributes;
  readonly value: number;
}

/** An SDK that keeps what it collects, and gives it as name and attributes → value; of a histogram its count. */
function sdk() {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const meterProvider = new MeterProvider({ readers: [reader] });
  atEnd(() => meterProvider.shutdown());
  const points = async (): Promise<readonly Point[]> => {
    exporter.reset();
    await reader.forceFlush();
    const ours = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.filter(({ scope }) => scope.name === 'packet-ts'));
    return ours.flatMap(({ metrics: of }) =>
      of.flatMap(({ descriptor: { name }, dataPoints }) =>
        dataPoints.map(({ attributes, value }) => ({
          name,
          attributes,
          value: typeof value === 'number' ? value : (value as { count: number }).count,
        })),
      ),
    );
  };
  const collect = async (): Promise<ReadonlyMap<string, number>> =>
    new Map((await points()).map(({ name, attributes, value }) => [keyOf(name, attributes), value]));
  return { meterProvider, collect, points };
}

/** `packet_ts.app` is left out: it is in all of them. */
function keyOf(name: string, { 'packet_ts.app': _app, ...attributes }: Attributes): string {
  return `${name} ${JSON.stringify(Object.entries(attributes).toSorted(([a], [b]) => (a < b ? -1 : 1)))}`;
}

const POOL = { 'packet_ts.worker': 'around_worker' };

@Connection({ listen: 'http://127.0.0.1:0' })
class Web {
  @Get('/orders/:id') order(): Response {
    return new Response('x', { status: 202 });
  }
  @Get('/broken') broken(): Response {
    return new Response('x', { status: 503 });
  }
}

@Module({ imports: [MeasuredModule], connections: [Web] })
class WebModule {}

async function started(): Promise<App> {
  const app = await createTestApp(WebModule).start();
  atEnd(() => app.close());
  return app;
}

describe('metering()', () => {
  it('counts each call once, by how it ended, and has its duration by the conventional name', async () => {
    const app = await started();
    const { meterProvider, collect } = sdk();
    metering(app, { meterProvider });
    const { worker } = app.get<Asks>(Asks);
    await worker.plain('a');
    await worker.failing('m').catch(() => {});
    const found = await collect();
    expect(found.get(keyOf('packet_ts.calls.done', POOL))).to.equal(1);
    expect(found.get(keyOf('packet_ts.calls.failed', { ...POOL, 'error.type': 'Error' }))).to.equal(1);
    expect(found.get(keyOf('packet_ts.call.run', { ...POOL, 'packet_ts.task': 'plain' }))).to.equal(1);
    const call = { 'rpc.system.name': 'packet-ts', ...POOL };
    expect(found.get(keyOf('rpc.client.call.duration', { ...call, 'rpc.method': 'around_worker/plain' }))).to.equal(1);
    expect(
      found.get(keyOf('rpc.client.call.duration', { ...call, 'rpc.method': 'around_worker/failing', 'error.type': 'Error' })),
    ).to.equal(1);
  });

  it('has requests as http.server.request.duration, with the attributes that the conventions require', async () => {
    const app = await started();
    const { meterProvider, collect } = sdk();
    metering(app, { meterProvider });
    const { url } = app.address(Web);
    for (const path of ['orders/1', 'orders/2', 'broken']) await (await fetch(new URL(path, url))).text();
    const request = { 'http.request.method': 'GET', 'url.scheme': 'http', 'packet_ts.handler': 'Web' };
    const name = 'http.server.request.duration';
    const orders = keyOf(name, { ...request, 'http.route': '/orders/:id', 'http.response.status_code': 202 });
    const broken = keyOf(name, { ...request, 'http.route': '/broken', 'http.response.status_code': 503, 'error.type': '503' });
    await waitFor(async () => {
      const found = await collect();
      return found.get(orders) === 2 && found.get(broken) === 1;
    });
    const found = await collect();
    expect([...found.keys()].filter(key => key.startsWith('packet_ts.request'))).to.deep.equal([]);
  });

  it('counts what packet-ts/metrics counts, under the same names', async () => {
    const app = await started();
    const { meterProvider, collect } = sdk();
    const registry = metrics(app);
    metering(app, { meterProvider });
    const { worker, doomed } = app.get<Asks>(Asks);
    await worker.plain('a');
    await doomed.work('throw').catch(() => {});
    await (await fetch(new URL('orders/1', app.address(Web).url))).text();
    await waitFor(async () => [...(await samples(registry)).keys()].some(key => key.startsWith('packet_ts_connections_closed_total')));
    const [page, found] = [await samples(registry), await collect()];
    // An exporter for Prometheus writes dots as underscores, and adds unit and kind.
    const bare = (key: string): string => key.split(/[ {]/)[0]!.replaceAll('.', '_');
    const prometheus = new Set([...page.keys()].map(key => bare(key).replace(/_(?:total|bytes|seconds(?:_\w+)?)$/, '')));
    const otel = new Set([...found.keys()].map(bare).filter(name => name.startsWith('packet_ts_')));
    for (const name of ['packet_ts_requests', 'packet_ts_request', 'packet_ts_event_loop_delay']) prometheus.delete(name);
    // Counters without labels are there from the start in Prometheus only.
    expect([...otel].toSorted()).to.deep.equal([...prometheus].toSorted());
    const sum = (of: ReadonlyMap<string, number>, name: string): number =>
      [...of].filter(([key]) => bare(key).replace(/_total$/, '') === name).reduce((all, [, value]) => all + value, 0);
    for (const name of ['calls_done', 'calls_failed', 'connections_opened', 'connections_closed'])
      expect(sum(found, `packet_ts_${name}`), name).to.equal(sum(page, `packet_ts_${name}`));
  });

  it('has gauges of processes, queues, memory and the event loop, read when the SDK collects', async () => {
    const app = await started();
    const { meterProvider, collect } = sdk();
    metering(app, { meterProvider });
    const found = await collect();
    expect(found.get(keyOf('packet_ts.ready', {}))).to.equal(1);
    expect(found.get(keyOf('packet_ts.worker.processes', { ...POOL, 'packet_ts.state': 'ready' }))).to.equal(1);
    expect(found.get(keyOf('packet_ts.calls.queued', POOL))).to.equal(0);
    expect(found.get(keyOf('packet_ts.connections', { 'packet_ts.handler': 'Web' }))).to.equal(0);
    expect(found.get(keyOf('packet_ts.resident_memory', { 'packet_ts.process': 'master' }))).to.be.greaterThan(1e6);
    for (const name of ['p50', 'p99', 'max']) expect(found.get(keyOf(`nodejs.eventloop.delay.${name}`, {}))).to.be.a('number');
  });

  it('takes the provider that is registered, measures nothing twice when it is asked twice, and its own application only', async () => {
    const [app, other] = [await started(), await started()];
    const { meterProvider, collect } = sdk();
    api.setGlobalMeterProvider(meterProvider);
    atEnd(() => api.disable());
    const first = metering(app);
    expect(metering(app)).to.equal(first);
    expect(() => metering(app, { meterProvider: sdk().meterProvider })).to.throw(UsageError, 'metering(): this application has another');
    expect(() => metering(app, { provider: 1 } as never)).to.throw(UsageError, "metering() has no option 'provider'");
    const done = keyOf('packet_ts.calls.done', POOL);
    await app.get<Asks>(Asks).worker.plain('a');
    await other.get<Asks>(Asks).worker.plain('a');
    expect((await collect()).get(done)).to.equal(1);
    first.end();
    await app.get<Asks>(Asks).worker.plain('b');
    const ended = await collect();
    expect(ended.get(done)).to.equal(1);
    expect(ended.get(keyOf('packet_ts.ready', {})), 'what is not observed any more').to.equal(0);
    // Ended, it can begin again.
    expect(metering(app)).not.to.equal(first);
    await app.get<Asks>(Asks).worker.plain('c');
    expect((await collect()).get(done)).to.equal(2);
  });

  it('has 0 for what is gone, as the SDK keeps what it saw last', async () => {
    const app = await started();
    const { meterProvider, collect } = sdk();
    metering(app, { meterProvider });
    const [ready, running] = [
      keyOf('packet_ts.worker.processes', { ...POOL, 'packet_ts.state': 'ready' }),
      keyOf('packet_ts.calls.running', POOL),
    ];
    expect(await collect()).to.include.keys(ready, running);
    await app.workers.stop(app.workers.get(AroundWorker)!);
    expect((await collect()).get(ready)).to.equal(0);
    await app.close();
    expect((await collect()).get(keyOf('packet_ts.ready', {}))).to.equal(0);
  });

  it('has the attributes of its application on every point', async () => {
    const app = await started();
    const { meterProvider, points } = sdk();
    metering(app, { meterProvider });
    await app.get<Asks>(Asks).worker.plain('a');
    const all = await points();
    expect(all.length).to.be.greaterThan(10);
    const foreign = all.filter(({ attributes }) => attributes['packet_ts.app'] !== app.name);
    expect(foreign).to.deep.equal([]);
  });

  it('with an SDK that throws is told once, and stops nothing', async () => {
    const app = await started();
    const { meterProvider } = sdk();
    const broken: Provider = {
      getMeter: (...of) =>
        new Proxy(meterProvider.getMeter(...of), {
          get: (meter, name) =>
            name === 'createCounter'
              ? () => ({
                  add: () => {
                    throw new Error('no memory');
                  },
                })
              : (Reflect.get(meter, name, meter) as unknown),
        }),
    };
    const warnings: unknown[] = [];
    const listen = (warning: unknown): void => void warnings.push((warning as { message: string }).message);
    diagnostics.subscribe('packet-ts:app.warning', listen);
    atEnd(() => diagnostics.unsubscribe('packet-ts:app.warning', listen));
    metering(app, { meterProvider: broken });
    const { worker } = app.get<Asks>(Asks);
    expect([await worker.plain('a'), await worker.plain('b')]).to.deep.equal(['plain a', 'plain b']);
    expect(warnings).to.deep.equal(['metering() failed: what is observed goes on without it']);
  });

  it('traces nothing twice either', async () => {
    const app = await started();
    const first = tracing(app);
    expect(tracing(app)).to.equal(first);
    const tracerProvider = {
      getTracer: (): never => {
        throw new Error('not asked');
      },
    };
    expect(() => tracing(app, { tracerProvider })).to.throw(UsageError, 'tracing(): this application has another provider already');
    first.end();
    expect(tracing(app)).not.to.equal(first);
  });
});
