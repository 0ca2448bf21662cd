import { Counter, Histogram, type HistogramConfiguration } from 'prom-client';
import { BUCKETS } from '../measurements/catalogue.js';

export type SeriesLabels = Readonly<Record<string, string | undefined>>;

/**
 * A counter whose values are kept as plain numbers, and given at a scrape: prom-client's own looks its labels up at each increment, which takes
 * longer than a call.
 */
export class SeriesCounter extends Counter {
  readonly #series: { readonly labels: SeriesLabels; value: number }[] = [];

  /** Counts one more of these labels. */
  series(labels: SeriesLabels): () => void {
    const one = { labels, value: 0 };
    return () => {
      // There once it has counted: a label that nothing has is none.
      if (one.value++ === 0) this.#series.push(one);
    };
  }

  override async get() {
    const values = this.#series.map(({ labels, value }) => ({ labels: labels as Record<string, string>, value }));
    return { ...(await super.get()), values };
  }

  override reset(): void {
    // prom-client's constructor calls it, when there is nothing yet.
    if (!(#series in this)) return super.reset();
    for (const one of this.#series.splice(0)) one.value = 0;
  }
}

/** A histogram that is kept in the same way. */
export class SeriesHistogram extends Histogram {
  readonly #config: HistogramConfiguration<string>;
  readonly #series: { readonly labels: SeriesLabels; readonly counts: Float64Array; sum: number; count: number }[] = [];

  constructor(config: HistogramConfiguration<string>) {
    super({ ...config, buckets: [...BUCKETS] });
    this.#config = config;
  }

  /** Takes seconds of these labels. */
  series(labels: SeriesLabels): (seconds: number) => void {
    const one = { labels, counts: new Float64Array(BUCKETS.length), sum: 0, count: 0 };
    return seconds => {
      if (one.count++ === 0) this.#series.push(one);
      one.sum += seconds;
      for (let at = 0; at < BUCKETS.length; at++) {
        if (seconds > BUCKETS[at]!) continue;
        one.counts[at]!++;
        return;
      }
    };
  }

  /** prom-client writes its page, and answers `get()`, from this. */
  getForPromString() {
    const { name, help } = this.#config;
    const values = this.#series.flatMap(({ labels: sharedLabels, counts, sum, count }) => {
      const value = (part: string, of: number, labels: { le?: number | string } = {}) => ({
        labels,
        sharedLabels,
        value: of,
        metricName: `${name}_${part}`,
      });
      let below = 0;
      const buckets = BUCKETS.map((le, at) => value('bucket', (below += counts[at]!), { le }));
      return [...buckets, value('bucket', count, { le: '+Inf' }), value('sum', sum), value('count', count)];
    });
    return Promise.resolve({ name, help, type: 'histogram', values, aggregator: 'sum' });
  }

  override reset(): void {
    // prom-client's constructor calls it, when there is nothing yet.
    if (!(#series in this)) return super.reset();
    for (const one of this.#series.splice(0)) {
      one.counts.fill(0);
      one.sum = 0;
      one.count = 0;
    }
  }
}
