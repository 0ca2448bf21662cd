import type { ServerResponse } from 'node:http';
import { cancelSoon } from '../session/handler/item-source.js';
import { noteEventStream } from '../web/event-streams.js';
import { recordOf, takeWhole } from '../web/light/response.js';
import { BODILESS, checkLength, PlainAnswer, writePlain } from './plain-answer.js';
import { isGone, type ResponseReader } from './reader.js';
import { setImmediate } from '../system-timers.js';

function headersOf(response: Response): Record<string, string | string[]> {
  const lines = recordOf(response.headers);
  // How it travels is for Node to say.
  delete lines['transfer-encoding'];
  return lines;
}

function begin(response: Response, to: ServerResponse, length?: number): void {
  const headers = headersOf(response);
  if (headers['content-length'] !== undefined) {
    if (length !== undefined) checkLength(headers['content-length'], length);
    to.strictContentLength = true;
  } else if (length !== undefined) headers['content-length'] = String(length);
  if (response.statusText) to.writeHead(response.status, response.statusText, headers);
  else to.writeHead(response.status, headers);
}

function writeBodiless(response: Response, to: ServerResponse): void {
  // The length that GET would have is not known here, and 0 would be wrong.
  const isKnown = !response.body && !BODILESS.has(response.status) && to.req.method !== 'HEAD';
  begin(response, to, isKnown ? 0 : undefined);
  to.end();
}

/** Settled with undefined when nothing has come of the promise by the next turn. */
function already<T>(promise: Promise<T>): Promise<T | undefined> {
  return Promise.race([promise, new Promise<undefined>(resolve => setImmediate(resolve, undefined))]);
}

/** Sends the rest of a body, as fast as the client reads. Nothing is read once the client has left. */
async function pump(reader: ReadableStreamDefaultReader<Uint8Array>, to: ServerResponse, client: ResponseReader): Promise<void> {
  while (!client.isGone) {
    const { done, value } = await reader.read();
    if (client.isGone || done) return;
    if (!to.write(value)) await client.room();
  }
}

/** Sends a body from its first byte: with its length where all of it is there. */
async function sendBody(
  response: Response,
  reader: ReadableStreamDefaultReader<Uint8Array>,
  to: ServerResponse,
  client: ResponseReader,
): Promise<void> {
  const first = await reader.read();
  if (client.isGone) return;
  if (first.done) {
    begin(response, to, 0);
    to.end();
    return;
  }
  const following = reader.read();
  // Awaited below, except when writing fails.
  following.catch(() => {});
  const second = await already(following);
  if (client.isGone) return;
  if (second?.done) {
    begin(response, to, first.value.length);
    to.end(first.value);
    return;
  }
  begin(response, to);
  to.write(first.value);
  const { done, value } = second ?? (await following);
  if (client.isGone) return;
  if (!done) {
    if (!to.write(value)) await client.room();
    await pump(reader, to, client);
    if (client.isGone) return;
  }
  to.end();
}

/**
 * Writes a `Response`. A body that is there as a whole is sent with its length, others as they come; HEAD and bodiless statuses read
 * nothing of it. Resolves when everything is on its way. When the client leaves, or has left already, the body is cancelled.
 * @throws the error of the body's stream.
 */
export async function writeResponse(response: Response, to: ServerResponse, client: ResponseReader): Promise<void> {
  const { body } = response;
  if (!body) {
    if (!client.isGone) writeBodiless(response, to);
    return;
  }
  if (client.isGone || BODILESS.has(response.status) || to.req.method === 'HEAD') {
    void cancelSoon(body);
    if (!client.isGone) writeBodiless(response, to);
    return;
  }
  const reader: ReadableStreamDefaultReader<Uint8Array> = body.getReader();
  let isWhole = false;
  client.onLeave = () => void cancelSoon(reader);
  noteEventStream(to, response.headers.get('content-type'), client.onLeave);
  try {
    await sendBody(response, reader, to, client);
    isWhole = !client.isGone;
  } finally {
    client.onLeave = undefined;
    if (!isWhole) void cancelSoon(reader);
  }
}

/** Answer of a handler. */
export type Answer = Response | PlainAnswer;

/**
 * Writes an answer: at once where it is there as a whole, else as it comes. Resolves when everything is on its way.
 * @param client makes what sees to it that it goes on reading.
 * @throws the error of the body's stream.
 */
export function writeAnswer(answer: Answer, to: ServerResponse, client: { reader(): ResponseReader }): Promise<void> | undefined {
  const whole = answer instanceof PlainAnswer ? answer : takeWhole(answer);
  if (!whole) {
    const reader = client.reader();
    return writeResponse(answer as Response, to, reader).then(() => reader.watch());
  }
  if (isGone(to)) return undefined;
  writePlain(whole, to, answer === whole);
  // Most answers are with the kernel by now.
  if (!to.socket || to.socket.writableLength > 0) client.reader().watch();
  return undefined;
}
