import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { App } from '../app/app.js';
import type { GaugeLabels, GaugeName } from './catalogue.js';

/** Takes one value of a gauge. */
export type TakeReading = <N extends GaugeName>(gauge: N, labels: GaugeLabels<N>, value: number) => void;

const NANOSECONDS = 1e9;
const QUANTILES = [50, 99] as const;

/** The gauges of one application, for one reader of them: the event loop's delay is that since it read last. */
export class Readings {
  readonly #app: App;
  readonly #delay = monitorEventLoopDelay({ resolution: 10 });

  constructor(app: App) {
    this.#app = app;
    this.#delay.enable();
  }

  /** Gives every value that there is now; each set of labels once. */
  read(take: TakeReading): void {
    const { ready, details } = this.#app.health();
    take('ready', {}, ready ? 1 : 0);
    const open = new Map<string, number>();
    for (const { handler, connections } of details.handlers) open.set(handler, (open.get(handler) ?? 0) + connections);
    for (const [handler, connections] of open) take('connections', { handler }, connections);
    this.#readWorkers(take);
    this.#readDelay(take);
  }

  end(): void {
    this.#delay.disable();
  }

  #readWorkers(take: TakeReading): void {
    take('memory', { process: 'master' }, process.memoryUsage.rss());
    const pools = new Map<string, { worker: string; key: string; running: number; queued: number; states: Map<string, number> }>();
    for (const { name: worker, key = '', queued, running, id, state, rss } of this.#app.workers.status()) {
      const pool = pools.get(`${worker} ${key}`) ?? { worker, key, running: 0, queued: 0, states: new Map<string, number>() };
      pools.set(`${worker} ${key}`, pool);
      pool.queued += queued;
      pool.running += running;
      if (id === undefined) continue;
      pool.states.set(state, (pool.states.get(state) ?? 0) + 1);
      if (rss !== undefined) take('memory', { worker, key, process: id }, rss);
    }
    for (const { worker, key, queued, running, states } of pools.values()) {
      take('queued', { worker, key }, queued);
      take('running', { worker, key }, running);
      for (const [state, processes] of states) take('processes', { worker, key, state }, processes);
    }
  }

  #readDelay(take: TakeReading): void {
    for (const quantile of QUANTILES) take('delay', { quantile: String(quantile / 100) }, this.#delay.percentile(quantile) / NANOSECONDS);
    take('delay', { quantile: '1' }, this.#delay.max / NANOSECONDS);
    this.#delay.reset();
  }
}
