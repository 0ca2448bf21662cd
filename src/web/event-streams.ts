import type { ServerResponse } from 'node:http';

const EVENT_STREAM = /^text\/event-stream\b/i;

/** Ends the source of an answer that is an event stream, by its response. */
const ENDINGS = new WeakMap<ServerResponse, () => void>();

/** Notes that a response is an event stream, if its `content-type` says so: `end` makes its source end. */
export function noteEventStream(response: ServerResponse, contentType: string | null, end: () => void): void {
  if (contentType !== null && EVENT_STREAM.test(contentType)) ENDINGS.set(response, end);
}

/** Ends an answer that is an event stream, and no other: it would go on for ever, and the application closes. */
export function endEventStream(response: ServerResponse): void {
  const end = ENDINGS.get(response);
  if (end) end();
  else if (response.headersSent && EVENT_STREAM.test(String(response.getHeader('content-type') ?? ''))) response.end();
}
