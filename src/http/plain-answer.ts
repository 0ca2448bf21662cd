import type { ServerResponse } from 'node:http';
import { UsageError, type BoundaryError } from '../errors.js';
import type { WholeResponse } from '../web/light/response.js';

/** An answer that is there as a whole: written at once, without a stream. */
export class PlainAnswer implements WholeResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: string | Uint8Array | undefined;

  constructor(status: number, headers: Readonly<Record<string, string | string[]>>, body?: string | Uint8Array) {
    this.status = status;
    this.headers = headers;
    this.body = body;
  }
}

const TEXT: Readonly<Record<string, string>> = { 'content-type': 'text/plain; charset=utf-8' };
const JSON_DOCUMENT: Readonly<Record<string, string>> = { 'content-type': 'application/json' };

/** A line of text. */
export function textAnswer(status: number, text: string, headers?: Readonly<Record<string, string>>): PlainAnswer {
  return new PlainAnswer(status, headers ? { ...headers, ...TEXT } : TEXT, text);
}

/** A document. */
export function jsonAnswer(status: number, text: string): PlainAnswer {
  return new PlainAnswer(status, JSON_DOCUMENT, text);
}

/** Statuses whose answers have no body, whatever is given. */
export const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * Writes it with its length; to HEAD, and with statuses that have none, without the body.
 * @param isOfGet the answer to a HEAD is what GET has: then its length is told.
 * @throws UsageError when a `content-length` was given that is not the body's; nothing is sent then.
 */
export function writePlain({ status, headers, body }: WholeResponse, to: ServerResponse, isOfGet: boolean): void {
  // As a list: a copy of the object with one field more costs Node 20 more than all else here.
  const fields: (string | string[])[] = [];
  let said: unknown;
  for (const name in headers) {
    // How it travels is for Node to say.
    if (name === 'transfer-encoding') continue;
    if (name === 'content-length') said = headers[name];
    fields.push(name, headers[name]!);
  }
  if (BODILESS.has(status)) {
    to.writeHead(status, fields).end();
    return;
  }
  const isHead = to.req.method === 'HEAD';
  const length = body === undefined ? 0 : typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength;
  if (said !== undefined) {
    if (!isHead) checkLength(said, length);
  } else if (!isHead || (body !== undefined && isOfGet)) {
    // The length that GET would have is known only where the answer is what GET has.
    fields.push('content-length', String(length));
  }
  to.writeHead(status, fields);
  if (isHead || body === undefined) to.end();
  else to.end(body);
}

/**
 * Compares a `content-length` that was given with the length of the body.
 * @throws UsageError when they differ.
 */
export function checkLength(said: unknown, length: number): void {
  if (Number(said) === length) return;
  throw new UsageError(`the response's header content-length says ${String(said)}, and its body has ${length} bytes: leave the header out`);
}

/** Tells a client what of its request does not fit: 400 with the issues. */
export function misfit({ message, issues }: BoundaryError): PlainAnswer {
  const told = issues.map(issue => ({
    path: (issue.path ?? []).map(key => (typeof key === 'symbol' ? String(key) : key)),
    message: issue.message,
  }));
  return jsonAnswer(400, JSON.stringify({ message, issues: told }));
}
