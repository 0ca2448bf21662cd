import type { ServerResponse } from 'node:http';
import type { BoundaryError } from '../errors.js';

/** An answer that is there as a whole: written at once, without a stream. */
export class PlainAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | undefined;

  constructor(status: number, headers: Readonly<Record<string, string>>, body?: string | Uint8Array) {
    this.status = status;
    this.headers = headers;
    this.body = body;
  }
}

/** A line of text. */
export function textAnswer(status: number, text: string, headers: Readonly<Record<string, string>> = {}): PlainAnswer {
  return new PlainAnswer(status, { ...headers, 'content-type': 'text/plain; charset=utf-8' }, text);
}

/** A document. */
export function jsonAnswer(status: number, text: string): PlainAnswer {
  return new PlainAnswer(status, { 'content-type': 'application/json' }, text);
}

/** Writes it with its length; HEAD and 204 without a body. */
export function writePlain({ status, headers, body }: PlainAnswer, to: ServerResponse): void {
  if (status === 204 || body === undefined) {
    to.writeHead(status, status === 204 ? { ...headers } : { ...headers, 'content-length': 0 }).end();
    return;
  }
  to.writeHead(status, { ...headers, 'content-length': typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength });
  if (to.req.method === 'HEAD') to.end();
  else to.end(body);
}

/** Tells a client what of its request does not fit: 400 with the issues. */
export function misfit({ message, issues }: BoundaryError): PlainAnswer {
  const told = issues.map(issue => ({
    path: (issue.path ?? []).map(key => (typeof key === 'symbol' ? String(key) : key)),
    message: issue.message,
  }));
  return jsonAnswer(400, JSON.stringify({ message, issues: told }));
}
