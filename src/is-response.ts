/** Members of a `Response` that sending it needs. */
interface Shape {
  readonly status: unknown;
  readonly text: unknown;
  readonly headers: { readonly getSetCookie: unknown; readonly [Symbol.iterator]: unknown };
  readonly body: { readonly getReader: unknown; readonly cancel: unknown } | null;
}

/**
 * Whether a value can be sent as a `Response`: the process's own, or one of the same shape, since another realm, npm's undici and the
 * fetch of some frameworks have a class of their own. One whose body is a stream of Node (node-fetch) cannot.
 */
export function isResponse(value: unknown): value is Response {
  if (value instanceof Response) return true;
  if (typeof value !== 'object' || value === null || !('headers' in value && 'body' in value)) return false;
  const { status, text, headers, body } = value as Shape;
  if (typeof status !== 'number' || typeof text !== 'function') return false;
  if (typeof headers?.getSetCookie !== 'function' || typeof headers[Symbol.iterator] !== 'function') return false;
  return body === null || (typeof body?.getReader === 'function' && typeof body.cancel === 'function');
}

/** Tells in the message of an error that something else was returned than a `Response`. */
export function notResponse(value: unknown): string {
  return `returned no Response of the web: ${value === null ? 'null' : typeof value === 'object' ? 'an object' : typeof value}`;
}
