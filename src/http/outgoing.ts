import type { ServerResponse } from 'node:http';
import type { ResponseReader } from './reader.js';

/** Statuses whose responses have no body, whatever is given. */
const BODILESS = new Set([204, 205, 304]);

type HeaderLines = Record<string, string | string[]>;

function headersOf(response: Response): HeaderLines {
  const lines: HeaderLines = {};
  for (const [name, value] of response.headers) {
    // How it travels is for Node to say.
    if (name !== 'set-cookie' && name !== 'transfer-encoding') lines[name] = value;
  }
  const cookies = response.headers.getSetCookie();
  if (cookies.length > 0) lines['set-cookie'] = cookies;
  return lines;
}

function begin(response: Response, to: ServerResponse, length?: number): void {
  const headers = headersOf(response);
  if (headers['content-length'] !== undefined) to.strictContentLength = true;
  else if (length !== undefined) headers['content-length'] = String(length);
  if (response.statusText) to.writeHead(response.status, response.statusText, headers);
  else to.writeHead(response.status, headers);
}

/** Settled with undefined when nothing has come of the promise by the next turn. */
function already<T>(promise: Promise<T>): Promise<T | undefined> {
  return Promise.race([promise, new Promise<undefined>(resolve => setImmediate(resolve, undefined))]);
}

/** Sends what is left of a body, as fast as the client reads. */
async function pump(reader: ReadableStreamDefaultReader<Uint8Array>, to: ServerResponse, client: ResponseReader): Promise<void> {
  for (;;) {
    const { done, value } = await reader.read();
    if (client.isGone || done) return;
    if (!to.write(value)) await client.room();
  }
}

/**
 * Writes the web's `Response`. A body that is there as a whole is sent with its length, others as they come.
 * Resolves when all of it is on its way, or the client has left.
 * @throws what the body's stream throws.
 */
export async function writeResponse(response: Response, to: ServerResponse, client: ResponseReader): Promise<void> {
  const { body } = response;
  if (!body || BODILESS.has(response.status) || to.req.method === 'HEAD') {
    void body?.cancel().catch(() => {});
    // Of what HEAD would have fetched the length is not known.
    begin(response, to, body || BODILESS.has(response.status) ? undefined : 0);
    to.end();
    return;
  }
  const reader: ReadableStreamDefaultReader<Uint8Array> = body.getReader();
  try {
    const first = await reader.read();
    if (client.isGone) return;
    if (first.done) {
      begin(response, to, 0);
      to.end();
      return;
    }
    const following = reader.read();
    // Whoever waits for it below hears of its failure.
    following.catch(() => {});
    const second = await already(following);
    if (second?.done) {
      begin(response, to, first.value.length);
      to.end(first.value);
      return;
    }
    begin(response, to);
    let hasRoom = to.write(first.value);
    const { done, value } = second ?? (await following);
    if (!done && !client.isGone) hasRoom = to.write(value);
    if (!done && !hasRoom) await client.room();
    if (!done) await pump(reader, to, client);
    to.end();
  } finally {
    void reader.cancel().catch(() => {});
  }
}
