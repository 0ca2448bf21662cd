import diagnostics from 'node:diagnostics_channel';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Registry } from 'prom-client';
import type { App } from '../app/app.js';
import type { EventName, Events } from '../diagnostics/event-types.js';
import type { CallTrace, MessageTrace, RequestTrace } from '../diagnostics/trace-types.js';
import { callTraces, messageTraces, requestTraces } from '../diagnostics/traces.js';
import { careful } from '../diagnostics/careful.js';
import { UsageError } from '../errors.js';
import { checkGiven, isObject, type Rule } from '../option-rules.js';
import { Codes } from './codes.js';
import { instruments, readApp, type Gauges, type Instruments } from './instruments.js';

/** The options of {@link metrics}. */
export interface MetricsOptions {
  /** Where the metrics are registered, for one application each. Default: a registry of their own. */
  registry?: Registry | undefined;
}

const NANOSECONDS = 1e9;
const QUANTILES = [50, 99] as const;

/** Counts one call, once, by how it ended. */
function countCall(to: Instruments, codes: Codes, { worker, key = '', task, outcome, code, queued, started, ended }: CallTrace): void {
  const pool = { worker, key };
  if (outcome === 'done') to.done.inc(pool);
  else if (outcome === 'crashed') to.crashed.inc(pool);
  else if (outcome === 'timedOut') to.timedOut.inc(pool);
  else (outcome === 'refused' ? to.refused : to.failed).inc({ ...pool, code: codes.of(code) });
  to.wait.observe({ ...pool, task }, Math.max(0, (started ?? ended!) - queued) / 1000);
  if (started !== undefined) to.run.observe({ ...pool, task }, Math.max(0, ended! - started) / 1000);
}

function countRequest(to: Instruments, { handler, method, route = '', status, duration }: RequestTrace): void {
  to.requests.inc({ handler, method, route, status: status === undefined ? 'none' : String(status) });
  to.request.observe({ handler, method, route }, (duration ?? 0) / 1000);
}

function countMessage(to: Instruments, { handler, outcome, started, ended }: MessageTrace): void {
  to.messages.inc({ handler, outcome: outcome ?? 'failed' });
  to.message.observe({ handler }, Math.max(0, ended! - started) / 1000);
}

function readDelay(histogram: ReturnType<typeof monitorEventLoopDelay>, { delay }: Gauges): void {
  for (const quantile of QUANTILES) delay.set({ quantile: String(quantile / 100) }, histogram.percentile(quantile) / NANOSECONDS);
  delay.set({ quantile: '1' }, histogram.max / NANOSECONDS);
  histogram.reset();
}

const REGISTRY: Rule = {
  expects: 'a Registry of prom-client',
  fits: value => isObject(value) && typeof value['registerMetric'] === 'function',
};

const registries = new WeakMap<App, Registry>();

/** Checks that the registry an application asks for can be its own. */
function checkRegistry(registry: Registry | undefined, known: Registry | undefined): void {
  if (!registry || registry === known) return;
  if (known) throw new UsageError('metrics(): this application is counted in another registry already, the one that metrics(app) returns');
  if (registry.getSingleMetric('packet_ts_ready'))
    throw new UsageError('metrics(): this registry has the metrics of another application: give each one of its own');
}

/**
 * The metrics of an application as a registry of prom-client: what happens from this call on is counted. Every call is in exactly one of
 * `packet_ts_calls_done_total`, `…_failed_total`, `…_crashed_total`, `…_timed_out_total` and `…_refused_total`. Asked again for the same
 * application it is the same registry.
 * @throws UsageError for an option that does not exist, and for a registry that is not, or cannot become, that of this application.
 * @example const web = mount(({ get }) => new Hono().get('/metrics', async c => c.text(await metrics(get(App)).metrics())), { listen });
 */
export function metrics(app: App, options: MetricsOptions = {}): Registry {
  checkGiven('metrics()', options, { registry: REGISTRY });
  const known = registries.get(app);
  checkRegistry(options.registry, known);
  if (known) return known;
  const registry = options.registry ?? new Registry();
  const histogram = monitorEventLoopDelay({ resolution: 10 });
  const made = instruments(registry, gauges => {
    readApp(app, gauges);
    readDelay(histogram, gauges);
  });
  registries.set(app, registry);
  histogram.enable();
  const end = listen(app.name, made, new Codes());
  void app.closed.then(() => {
    end();
    histogram.disable();
  });
  return registry;
}

/** Subscribes to what the counters count; returns the end of that. */
function listen(name: string, to: Instruments, codes: Codes): () => void {
  const ends: (() => void)[] = [];
  const subscribe = (channel: string, count: (message: unknown) => void): void => {
    const listener = careful(name, 'metrics()', count);
    diagnostics.subscribe(channel, listener);
    ends.push(() => void diagnostics.unsubscribe(channel, listener));
  };
  const ended = <T extends { readonly app: string }>(
    channel: { readonly asyncEnd: { readonly name: string | symbol } },
    count: (traced: T) => void,
  ) =>
    subscribe(String(channel.asyncEnd.name), traced => {
      if ((traced as T).app === name) count(traced as T);
    });
  const event = <N extends EventName>(of: N, count: (details: Events[N]) => void): void =>
    subscribe(`packet-ts:${of}`, details => {
      if ((details as { readonly app?: unknown }).app === name) count(details as Events[N]);
    });
  ended<CallTrace>(callTraces, call => countCall(to, codes, call));
  ended<MessageTrace>(messageTraces, message => countMessage(to, message));
  ended<RequestTrace>(requestTraces, request => countRequest(to, request));
  event('call.retry', ({ worker, key = '' }) => to.retried.inc({ worker, key }));
  event('worker.exit', ({ worker, key = '', reason }) => to.exits.inc({ worker, key, reason }));
  event('worker.restart', ({ worker, key = '' }) => to.restarts.inc({ worker, key }));
  event('connection.open', ({ handler }) => to.opened.inc({ handler }));
  event('connection.close', ({ handler, by }) => to.closed.inc({ handler, by }));
  event('listener.reject', ({ reason }) => to.rejected.inc({ reason }));
  return () => {
    for (const each of ends) each();
  };
}
