import { expect } from 'chai';
import { Registry } from 'prom-client';
import { Connection, Module, UsageError, type App } from 'packet-ts';
import { OnRequest } from 'packet-ts/http';
import { metrics } from 'packet-ts/metrics';
import { createTestApp } from 'packet-ts/testing';
import { atEnd, waitFor } from '../kit/index.js';
import { AroundWorker } from '../fixtures/workers/around.worker.js';
import { Asks, callsIn, MeasuredModule, samples, scrapeUnderKills } from './scrapes.js';

describe('metrics()', () => {
  it('counts each call once, by how it ended', async () => {
    const app = await createTestApp(MeasuredModule).start();
    atEnd(() => app.close());
    const registry = metrics(app);
    expect(metrics(app)).to.equal(registry);
    const { worker } = app.get<Asks>(Asks);
    await worker.plain('a');
    await worker.failing('m').catch(() => {});
    await worker.plain('a', { signal: AbortSignal.abort() }).catch(() => {});
    await app.workers.stop(app.workers.get(AroundWorker)!);
    await worker.plain('a').catch(() => {});
    const page = await samples(registry);
    const of = 'worker="around_worker",key=""';
    expect(page.get(`packet_ts_calls_done_total{${of}}`)).to.equal(1);
    expect(page.get(`packet_ts_calls_failed_total{${of},code="Error"}`)).to.equal(1);
    expect(page.get(`packet_ts_calls_failed_total{${of},code="ERR_PACKET_ABORTED"}`)).to.equal(1);
    expect(page.get(`packet_ts_calls_refused_total{${of},code="ERR_PACKET_WORKER_NOT_FOUND"}`)).to.equal(1);
    expect(page.get(`packet_ts_call_run_seconds_count{${of},task="plain"}`)).to.equal(1);
    expect(page.get(`packet_ts_call_wait_seconds_count{${of},task="plain"}`)).to.equal(3);
    expect(callsIn(page)).to.equal(4);
  });

  it('only grow under random kills, and their sum is the number of calls made', async function () {
    this.timeout(60_000);
    this.slow(30_000);
    await scrapeUnderKills(10, 14);
  });

  it('has gauges of processes, queues, connections, memory and the event loop', async () => {
    @Connection({ listen: 'http://127.0.0.1:0' })
    class Web {
      @OnRequest() answer(): Response {
        return new Response('x', { status: 202 });
      }
    }
    @Module({ imports: [MeasuredModule], connections: [Web] })
    class WebModule {}
    const app: App = await createTestApp(WebModule).start();
    atEnd(() => app.close());
    const registry = metrics(app);
    await (await fetch(app.address(Web).url)).text();
    await waitFor(async () => (await samples(registry)).has('packet_ts_request_seconds_count{handler="Web",method="GET",route=""}'));
    const page = await samples(registry);
    expect(page.get('packet_ts_ready')).to.equal(1);
    expect(page.get('packet_ts_worker_processes{worker="around_worker",key="",state="ready"}')).to.equal(1);
    expect(page.get('packet_ts_calls_queued{worker="around_worker",key=""}')).to.equal(0);
    expect(page.get('packet_ts_connections{handler="Web"}')).to.equal(0);
    expect(page.get('packet_ts_resident_memory_bytes{process="master"}')).to.be.greaterThan(1e6);
    expect([...page.keys()].filter(name => name.startsWith('packet_ts_event_loop_delay_seconds'))).to.have.length(3);
    expect(page.get('packet_ts_requests_total{handler="Web",method="GET",route="",status="202"}')).to.equal(1);
    expect(page.get('packet_ts_connections_opened_total{handler="Web"}')).to.equal(1);
  });

  it('counts codes that tasks make up together beyond the first hundred', async () => {
    const app = await createTestApp(MeasuredModule).start();
    atEnd(() => app.close());
    const registry = metrics(app);
    const { doomed } = app.get<Asks>(Asks);
    for (let i = 0; i < 120; i++) await doomed.work(`code E${i}`).catch(() => {});
    await doomed.work(`code ${'x'.repeat(100)}`).catch(() => {});
    const page = await samples(registry);
    expect(page.get('packet_ts_calls_failed_total{worker="doomed",key="",code="E99"}')).to.equal(1);
    expect(page.get('packet_ts_calls_failed_total{worker="doomed",key="",code="other"}')).to.equal(21);
  });

  it('counts its own application only, in a registry that may be given', async () => {
    const [first, second] = [await createTestApp(MeasuredModule).start(), await createTestApp(MeasuredModule).start()];
    const registry = new Registry();
    expect(metrics(first, { registry })).to.equal(registry);
    await second.get<Asks>(Asks).worker.plain('a');
    expect(callsIn(await samples(registry))).to.equal(0);
    await first.close();
    await second.close();
    expect((await samples(registry)).get('packet_ts_ready')).to.equal(0);
  });

  it('refuses a registry of another application, and another registry of the same', async () => {
    const [first, second] = [await createTestApp(MeasuredModule).start(), await createTestApp(MeasuredModule).start()];
    atEnd(() => Promise.all([first.close(), second.close()]));
    const registry = metrics(first);
    expect(metrics(first, { registry })).to.equal(registry);
    expect(() => metrics(first, { registry: new Registry() })).to.throw(UsageError, 'counted in another registry');
    expect(() => metrics(second, { registry })).to.throw(UsageError, 'the metrics of another application');
    expect(() => metrics(second, { registry: {} as never })).to.throw(UsageError, 'registry is {}: expected a Registry');
    // What was refused has left nothing behind.
    await second.get<Asks>(Asks).worker.plain('a');
    expect(callsIn(await samples(metrics(second)))).to.equal(0);
    await second.get<Asks>(Asks).worker.plain('b');
    expect(callsIn(await samples(metrics(second)))).to.equal(1);
  });

  it('is what prom-client makes of the same observations: buckets that add up, sum and count', async () => {
    const app = await createTestApp(MeasuredModule).start();
    atEnd(() => app.close());
    const registry = metrics(app);
    const { worker } = app.get<Asks>(Asks);
    for (let i = 0; i < 5; i++) await worker.plain('a');
    const json = await registry.getMetricsAsJSON();
    const histogram = json.find(({ name }) => name === 'packet_ts_call_run_seconds')!;
    const values = histogram.values as { labels: Record<string, string | number>; value: number; metricName: string }[];
    const buckets = values.filter(({ metricName }) => metricName.endsWith('_bucket'));
    expect(buckets.at(-1)).to.deep.include({ value: 5, labels: { le: '+Inf', worker: 'around_worker', key: '', task: 'plain' } });
    expect(buckets.map(({ value }) => value)).to.deep.equal(buckets.map(({ value }) => value).toSorted((a, b) => a - b));
    const sum = values.find(({ metricName }) => metricName.endsWith('_sum'))!.value;
    expect(sum).to.be.within(0, 5 * 30);
    const page = await registry.metrics();
    expect(page).to.match(/packet_ts_call_run_seconds_bucket\{le="\+Inf",worker="around_worker",key="",task="plain"\} 5/);
    expect(page).to.include('# TYPE packet_ts_calls_done_total counter').and.to.include('# TYPE packet_ts_call_run_seconds histogram');
    // Counting goes on after a reset, from nothing.
    registry.resetMetrics();
    await worker.plain('a');
    expect((await samples(registry)).get('packet_ts_call_run_seconds_count{worker="around_worker",key="",task="plain"}')).to.equal(1);
  });
});
