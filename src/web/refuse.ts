import { STATUS_CODES, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { guard } from '../guard.js';

/** Answers on a socket that HTTP is not spoken on any more, and closes it. */
export function answerAndClose(
  socket: Duplex,
  status: number,
  why: string,
  headers: Readonly<Record<string, string | readonly string[]>> = {},
): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const lines = Object.entries({
    Connection: 'close',
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(why)),
    ...headers,
  }).flatMap(([name, value]) => [value].flat().map(each => `${name}: ${each}\r\n`));
  // A client that has reset it already is not worth a word.
  socket.on('error', () => {});
  socket.once(
    'finish',
    guard(socket, () => socket.destroy()),
  );
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${why}`);
}

/** Answers a request with a status and a line; it is the last of its connection. */
export function answer(response: ServerResponse, status: number, text: string, headers: Readonly<Record<string, string>> = {}): void {
  response.shouldKeepAlive = false;
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', ...headers }).end(text);
}
