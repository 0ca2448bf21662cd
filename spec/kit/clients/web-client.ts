import { once } from 'node:events';
import { WebSocket, type ClientOptions } from 'ws';
import { atEnd } from '../cleanup.js';
import { soon, waitFor } from '../wait-for.js';

/** A message as it arrived: text is a string. */
export type WebMessage = string | Buffer;

/** A websocket client that was not written here, as a test uses one. */
export class WebClient {
  readonly socket: WebSocket;
  readonly messages: WebMessage[] = [];
  readonly pongs: string[] = [];
  /** Resolves with the code and reason of the close frame; 1006 where there was none. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  #taken = 0;

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data: Buffer, isBinary) => this.messages.push(isBinary ? data : data.toString()));
    socket.on('pong', data => this.pongs.push(data.toString()));
    // What goes wrong is seen by its close code.
    socket.on('error', () => {});
    this.closed = new Promise(resolve => socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() })));
  }

  /** The next message that was not taken yet. */
  async next(): Promise<WebMessage> {
    await waitFor(() => this.messages.length > this.#taken, { what: 'a message' });
    return this.messages[this.#taken++]!;
  }

  send(message: string | Uint8Array): void {
    this.socket.send(message);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.socket.terminate();
    return this.closed.then(() => {});
  }
}

/** Opens a websocket; it is ended with the test. Rejects when it is refused. */
export async function webClient(url: string, protocols: string | string[] = [], options: ClientOptions = {}): Promise<WebClient> {
  const socket = new WebSocket(url, protocols, { perMessageDeflate: false, ...options });
  const client = new WebClient(socket);
  const forget = atEnd(() => client[Symbol.asyncDispose]());
  void client.closed.then(forget);
  await soon(once(socket, 'open'), { what: 'a websocket' });
  return client;
}
