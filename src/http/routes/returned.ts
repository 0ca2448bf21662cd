import { onAbort } from '../../abort-listeners.js';
import type { RouteBlueprint } from '../../blueprint/connection/route-types.js';
import { BoundaryError, UsageError } from '../../errors.js';
import { jsonText } from '../../json-text.js';
import { isResponse } from '../../is-response.js';
import { itemSourceOf } from '../../session/handler/item-source.js';
import { isAsyncIterable } from '../../session/handler/reply-stream.js';
import { jsonAnswer, PlainAnswer, textAnswer } from '../plain-answer.js';

const BYTES_TYPE = 'application/octet-stream';
const BYTES = { 'content-type': BYTES_TYPE };

function nameOf({ method, path }: RouteBlueprint): string {
  return `${method} '${path}'`;
}

/** A value as the route's schema for responses leaves it. Throws BoundaryError, which is a 500. */
function checked(value: unknown, route: RouteBlueprint): unknown {
  const verdict = route.validate.response?.(value);
  if (!verdict) return value;
  if (verdict.issues) throw new BoundaryError({ direction: 'output', ...verdict, what: `response of ${nameOf(route)}` });
  return verdict.value;
}

function jsonOf(value: unknown, route: RouteBlueprint): string {
  if (Object.prototype.toString.call(value) === '[object Response]')
    throw new UsageError(`${nameOf(route)} returned a Response that is not the web's: its body must be a ReadableStream or null`);
  return jsonText(
    value,
    what => new UsageError(`${nameOf(route)} returned a ${what}, which is no JSON: return what JSON can say, or a Response`),
  );
}

/** One item of a stream: bytes and strings as they are, everything else as a line of JSON. */
function itemOf(value: unknown, route: RouteBlueprint): Uint8Array {
  const item = checked(value, route);
  if (item instanceof Uint8Array) return item;
  return Buffer.from(typeof item === 'string' ? item : `${jsonOf(item, route)}\n`);
}

function typeOf(first: unknown): string {
  if (typeof first === 'string') return 'text/plain; charset=utf-8';
  return first instanceof Uint8Array ? BYTES_TYPE : 'application/x-ndjson';
}

/** The items of an async iterable as a body, pulled as fast as the client reads. Its first item says the content type. */
async function streamed(items: AsyncIterable<unknown>, route: RouteBlueprint, signal: AbortSignal): Promise<Response> {
  const source = itemSourceOf(items);
  const cancel = async (): Promise<void> => void (await source.release());
  // The client may leave before there is an item, and a stream.
  const left = (): void => void cancel().catch(() => {});
  const forget = onAbort(signal, left);
  let next: IteratorResult<unknown> | undefined;
  try {
    next = await source.next();
  } catch (error) {
    // A source that was let go of may fail for that.
    if (!signal.aborted) throw error;
    next = { done: true, value: undefined };
  } finally {
    forget();
  }
  const type = next.done ? undefined : typeOf(next.value);
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = next ?? (await source.next());
        next = undefined;
        if (done) {
          controller.close();
          return;
        }
        try {
          controller.enqueue(itemOf(value, route));
        } catch (error) {
          left();
          throw error;
        }
      },
      cancel,
    },
    { highWaterMark: 0 },
  );
  return new Response(body, type === undefined ? {} : { headers: { 'content-type': type } });
}

/**
 * Makes an answer of a route's return value: a `Response` as it is, `undefined` as 204, strings as text, bytes as they are, async iterables
 * item by item, everything else as JSON.
 * @throws BoundaryError where it does not fit the schema, UsageError for what is no JSON.
 */
export function answerOf(
  returned: unknown,
  route: RouteBlueprint,
  asked: { readonly signal: AbortSignal },
): Response | PlainAnswer | Promise<Response | PlainAnswer> {
  if (typeof returned === 'object' && returned !== null) {
    if (isResponse(returned)) return returned;
    if (returned instanceof ReadableStream) return new Response(returned, { headers: BYTES });
    if (isAsyncIterable(returned)) return streamed(returned, route, asked.signal);
  }
  const value = checked(returned, route);
  if (value === undefined) return new PlainAnswer(204, {});
  if (typeof value === 'string') return textAnswer(200, value);
  if (value instanceof Uint8Array) return new PlainAnswer(200, BYTES, value);
  if (value instanceof ArrayBuffer) return new PlainAnswer(200, BYTES, new Uint8Array(value));
  return jsonAnswer(200, jsonOf(value, route));
}
