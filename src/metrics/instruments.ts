import { Gauge, type Registry } from 'prom-client';
import {
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
import { SeriesCounter, SeriesHistogram } from './series.js';

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
  const counters = each<CounterName, SeriesCounter>(COUNTERS, one => new SeriesCounter(named(one, 'total', registry)));
  const histograms = each<HistogramName, SeriesHistogram>(HISTOGRAMS, one => new SeriesHistogram(named(one, 'seconds', registry)));
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
    counter: (counter, labels) => counters[counter].series(labels),
    histogram: (histogram, labels) => histograms[histogram].series(labels),
  };
}
