import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import {
  BUCKETS,
  COUNTERS,
  GAUGES,
  HISTOGRAMS,
  type CounterName,
  type Described,
  type GaugeName,
  type HistogramName,
} from '../measurements/catalogue.js';
import type { MeasurementSink } from '../measurements/measure.js';
import type { Readings } from '../measurements/readings.js';

/** A name as Prometheus writes it: its parts and its unit. */
function named({ name, help, labels }: Described, unit: string, registry: Registry) {
  const parts = ['packet_ts', name.replaceAll('.', '_'), unit].filter(part => part !== '');
  return { name: parts.join('_'), help, labelNames: labels, registers: [registry] };
}

/** Makes one instrument for each entry of a part of the catalogue. */
function each<N extends string, I>(described: Record<N, Described>, make: (one: Described, name: N) => I): Record<N, I> {
  return Object.fromEntries((Object.keys(described) as N[]).map(name => [name, make(described[name], name)])) as Record<N, I>;
}

/** The metrics of one registry. Its gauges are read at a scrape. */
export function instruments(registry: Registry, readings: Readings): MeasurementSink {
  const counters = each<CounterName, Counter>(COUNTERS, one => new Counter(named(one, 'total', registry)));
  const histograms = each<HistogramName, Histogram>(
    HISTOGRAMS,
    one => new Histogram({ ...named(one, 'seconds', registry), buckets: [...BUCKETS] }),
  );
  const read = (): void => {
    for (const gauge of Object.values(gauges)) gauge.reset();
    readings.read((gauge, labels, value) => gauges[gauge].set(labels, value));
  };
  // The first one that a scrape asks reads all.
  const gauges = each<GaugeName, Gauge>(
    GAUGES,
    (one, name) => new Gauge({ ...named(one, GAUGES[name].unit, registry), ...(name === 'ready' && { collect: read }) }),
  );
  return {
    count: (counter, labels) => counters[counter].inc(labels),
    record: (histogram, labels, seconds) => histograms[histogram].observe(labels, seconds),
  };
}
