/**
 * Spans of OpenTelemetry for requests, messages and calls, across processes. `@opentelemetry/api` is an optional peer dependency; which SDK
 * stands behind it is the application's choice.
 * @example
 * const app = await bootstrap(AppModule);
 * tracing(app);
 * @module packet-ts/otel
 */
export { tracing, type Tracing, type TracingOptions } from './tracing.js';
export { traced } from './traced.js';
