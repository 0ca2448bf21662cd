/**
 * Numbers of an application for Prometheus. `prom-client` is an optional peer dependency.
 * @example
 * const app = await bootstrap(AppModule);
 * const registry = metrics(app);
 * console.log(await registry.metrics());
 * @module packet-ts/metrics
 */
export { metrics, type MetricsOptions } from './metrics.js';
