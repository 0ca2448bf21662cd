import { isSpanContextValid, propagation, ROOT_CONTEXT, trace, type Context, type SpanContext } from '@opentelemetry/api';
import { MOST_CARRIER, carrierSize } from '../decorators/carrier.js';

/** Names by value, as the headers of a request and the carrier of a call have them. */
export type Carrier = Readonly<Record<string, string | readonly string[] | undefined>>;

const TRACEPARENT = /^[\da-f]{2}-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})/;

function parsed(header: unknown): SpanContext | undefined {
  const [, traceId, spanId, flags] = (typeof header === 'string' && TRACEPARENT.exec(header)) || [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  const found = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
  return isSpanContextValid(found) ? found : undefined;
}

/** The context that a carrier brings: by the propagators that were registered, else W3C's `traceparent`. Undefined: it brings none. */
export function extracted(carrier: Carrier): Context | undefined {
  const found = propagation.extract(ROOT_CONTEXT, carrier);
  if (trace.getSpanContext(found) !== undefined) return found;
  const parent = parsed(carrier['traceparent']);
  return parent && trace.setSpanContext(found, parent);
}

/** Puts a context into a carrier: by the propagators that were registered, as far as there is room, and W3C's `traceparent` in any case. */
export function injectContext(context: Context, carrier: Record<string, string>): void {
  const span = trace.getSpanContext(context);
  if (!span || !isSpanContextValid(span)) return;
  const given: Record<string, string> = {};
  propagation.inject(context, given);
  given['traceparent'] ??= `00-${span.traceId}-${span.spanId}-${span.traceFlags.toString(16).padStart(2, '0')}`;
  // The entries that identify the span come before baggage, which may be long.
  for (const name of ['traceparent', ...Object.keys(given)]) {
    const value = given[name];
    if (value !== undefined && carrierSize({ ...carrier, [name]: value }) <= MOST_CARRIER) carrier[name] = value;
  }
}
