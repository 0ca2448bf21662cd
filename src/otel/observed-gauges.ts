import type { Attributes, Meter, ObservableGauge } from '@opentelemetry/api';
import type { App } from '../app/app.js';
import { careful } from '../diagnostics/careful.js';
import { GAUGES } from '../measurements/catalogue.js';
import { Readings } from '../measurements/readings.js';
import { queueMicrotask } from '../system-timers.js';
import { attributesOf, type Labels } from './attributes.js';

const UNITS = { '': '', seconds: 's', bytes: 'By' } as const;
/** Names of OpenTelemetry for quantiles of the event loop's delay. */
const DELAYS: Readonly<Record<string, string>> = { '0.5': 'p50', '0.99': 'p99', '1': 'max' };

interface Value {
  readonly gauge: ObservableGauge;
  readonly attributes: Attributes;
  value: number;
}

/**
 * The gauges of one application, read whenever an SDK collects. Under cumulative temporality the SDK goes on exporting the last value of
 * attributes that are not observed any more (opentelemetry-js#4096): what is gone is observed as 0. Memory is summed up by pool for the same
 * reason, since each process would leave a series behind.
 */
export class ObservedGauges {
  readonly #app: string;
  readonly #meter: Meter;
  readonly #readings: Readings;
  readonly #gauges: ReadonlyMap<string, ObservableGauge>;
  readonly #delays: ReadonlyMap<string, ObservableGauge>;
  /** The values that were observed last, by gauge and attributes. */
  readonly #values = new Map<string, Value>();
  #ended = false;

  constructor(app: App, meter: Meter) {
    this.#app = app.name;
    this.#meter = meter;
    this.#readings = new Readings(app);
    const gauge = (name: string, description: string, unit: string): ObservableGauge =>
      meter.createObservableGauge(name, { description, unit });
    const { delay, ...others } = GAUGES;
    this.#gauges = new Map(
      Object.entries(others).map(([key, { name, help, unit }]) => [key, gauge(`packet_ts.${name}`, help, UNITS[unit])]),
    );
    this.#delays = new Map(
      Object.entries(DELAYS).map(([quantile, name]) => [quantile, gauge(`nodejs.eventloop.delay.${name}`, delay.help, 's')]),
    );
    const read = careful(this.#app, 'metering()', () => this.#read());
    const all = [...this.#gauges.values(), ...this.#delays.values()];
    const observe: Parameters<Meter['addBatchObservableCallback']>[0] = result => {
      read();
      for (const { gauge: of, value, attributes } of this.#values.values()) result.observe(of, value, attributes);
      // The SDK walks through its callbacks now: this one leaves them afterwards.
      if (this.#ended) queueMicrotask(() => this.#meter.removeBatchObservableCallback(observe, all));
    };
    meter.addBatchObservableCallback(observe, all);
  }

  /** Everything is 0 when it is collected next, and then not observed any more. */
  end(): void {
    this.#ended = true;
    this.#readings.end();
  }

  #read(): void {
    for (const known of this.#values.values()) known.value = 0;
    if (this.#ended) return;
    this.#readings.read((gauge, labels, value) => {
      const { quantile, process, ...rest }: Labels = labels;
      // The memory of the master has no worker, and its process is its name.
      const kept = process === 'master' ? { process } : rest;
      const of = gauge === 'delay' ? this.#delays.get(quantile ?? '') : this.#gauges.get(gauge);
      if (of) this.#add(of, `${gauge} ${JSON.stringify({ ...kept, quantile })}`, kept, value);
    });
  }

  #add(gauge: ObservableGauge, key: string, labels: Labels, value: number): void {
    const known = this.#values.get(key);
    if (known) known.value += value;
    else this.#values.set(key, { gauge, attributes: attributesOf(this.#app, labels), value });
  }
}
