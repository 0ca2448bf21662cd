/**
 * OpenTelemetry: spans of requests, messages and calls, across processes, and metrics. `@opentelemetry/api` is an optional peer dependency; which SDK
 * stands behind it is the application's choice.
 * @example
 * const app = await bootstrap(AppModule);
 * tracing(app);
 * metering(app);
 * @module packet-ts/otel
 */
export { tracing, type Tracing, type TracingOptions } from './tracing.js';
export { metering, type Metering, type MeteringOptions } from './metering.js';
export { traced } from './traced.js';
