import { metrics, type Histogram, type Meter, type MeterProvider } from '@opentelemetry/api';
import type { App } from '../app/app.js';
import type { CallTrace, RequestTrace } from '../diagnostics/trace-types.js';
import { callTraces, requestTraces } from '../diagnostics/traces.js';
import { BUCKETS, COUNTERS, HISTOGRAMS, type Described } from '../measurements/catalogue.js';
import { Codes } from '../measurements/codes.js';
import { measure, secondsBetween, Subscriptions, type MeasurementSink } from '../measurements/measure.js';
import { checkApp, checkGiven, object } from '../option-rules.js';
import { answerAttributes, attributesOf, callAttributes, requestAttributes } from './attributes.js';
import { ObservedGauges } from './observed-gauges.js';
import { OnePerApp } from './one-per-app.js';

/** The options of {@link metering}. */
export interface MeteringOptions {
  /** Where meters come from. Default: the provider that is registered with the API when `metering()` is called. */
  meterProvider?: MeterProvider | undefined;
}

/** Ends with its application, or when it is disposed of. */
export interface Metering extends Disposable {
  /** Measures no more. */
  end(): void;
}

function histogramOf(meter: Meter, name: string, description: string): Histogram {
  return meter.createHistogram(name, { description, unit: 's', advice: { explicitBucketBoundaries: [...BUCKETS] } });
}

/** Makes what the catalogue has, except what has a conventional metric in its place. */
function sinkOf(meter: Meter, app: string): MeasurementSink {
  const { requests: _requests, ...counted } = COUNTERS;
  const { request: _request, ...timed } = HISTOGRAMS;
  const made = <I>(described: Readonly<Record<string, Described>>, make: (name: string, help: string) => I): Map<string, I> =>
    new Map(Object.entries(described).map(([key, { name, help }]) => [key, make(`packet_ts.${name}`, help)]));
  const counters = made(counted, (name, description) => meter.createCounter(name, { description }));
  const histograms = made(timed, (name, description) => histogramOf(meter, name, description));
  return {
    counter(name, labels) {
      const [counter, attributes] = [counters.get(name), attributesOf(app, labels)];
      return () => counter?.add(1, attributes);
    },
    histogram(name, labels) {
      const [histogram, attributes] = [histograms.get(name), attributesOf(app, labels)];
      return seconds => histogram?.record(seconds, attributes);
    },
  };
}

/** Records calls and requests under the names that OpenTelemetry's conventions have for them. */
function measureConventional(meter: Meter, from: Subscriptions, codes: Codes): void {
  const request = histogramOf(meter, 'http.server.request.duration', HISTOGRAMS.request.help);
  const call = histogramOf(meter, 'rpc.client.call.duration', 'Time from the making of a call to its end.');
  from.onEnd<RequestTrace>(requestTraces, traced => {
    const { 'error.type': error, ...answer } = answerAttributes(traced);
    const type = error === undefined ? {} : { 'error.type': codes.of(error as string) };
    request.record((traced.duration ?? 0) / 1000, { ...requestAttributes(traced), ...answer, ...type });
  });
  from.onEnd<CallTrace>(callTraces, traced => {
    const type = traced.error === undefined ? {} : { 'error.type': codes.of(traced.code) };
    call.record(secondsBetween(traced.queued, traced.ended!), { ...callAttributes(traced), ...type });
  });
}

const meterings = new OnePerApp('metering()');

/**
 * Measures an application with OpenTelemetry: what happens from this call on, and its gauges whenever the SDK collects them. Requests are
 * `http.server.request.duration`, calls `rpc.client.call.duration`; the rest has the names of packet-ts/metrics, as `packet_ts.…`. Asked again
 * for the same application it is the same metering: nothing is measured twice.
 * @throws UsageError for an option that does not exist, and where the application is measured for another provider already.
 * @example
 * const app = await bootstrap(AppModule);
 * metering(app);
 */
export function metering(app: App, options: MeteringOptions = {}): Metering {
  checkApp('metering()', app);
  checkGiven('metering()', options, { meterProvider: object });
  const provider = options.meterProvider ?? metrics.getMeterProvider();
  return meterings.observe(app, provider, () => {
    const meter = provider.getMeter('packet-ts');
    const [subscriptions, codes] = [new Subscriptions(app.name, 'metering()'), new Codes()];
    measure(sinkOf(meter, app.name), subscriptions, codes);
    measureConventional(meter, subscriptions, codes);
    const gauges = new ObservedGauges(app, meter);
    return () => {
      subscriptions.end();
      gauges.end();
    };
  });
}
