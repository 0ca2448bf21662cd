import { Registry } from 'prom-client';
import type { App } from '../app/app.js';
import { UsageError } from '../errors.js';
import { measure, Subscriptions } from '../measurements/measure.js';
import { Readings } from '../measurements/readings.js';
import { checkApp, checkGiven, isObject, type Rule } from '../option-rules.js';
import { instruments } from './instruments.js';

/** The options of {@link metrics}. */
export interface MetricsOptions {
  /** Where the metrics are registered, for one application each. Default: a registry of their own. */
  registry?: Registry | undefined;
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
  checkApp('metrics()', app);
  checkGiven('metrics()', options, { registry: REGISTRY });
  const known = registries.get(app);
  checkRegistry(options.registry, known);
  if (known) return known;
  const registry = options.registry ?? new Registry();
  const readings = new Readings(app);
  const subscriptions = new Subscriptions(app.name, 'metrics()');
  measure(instruments(registry, readings), subscriptions);
  registries.set(app, registry);
  void app.closed.then(() => {
    subscriptions.end();
    readings.end();
  });
  return registry;
}
