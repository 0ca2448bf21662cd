import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { WebSocket } from 'ws';

/** Where the application listens. */
export interface Target {
  readonly tcp: string;
  readonly unix: string;
  readonly tls: string;
  readonly ws: string;
  readonly wss: string;
  readonly udp: string;
  readonly http: string;
  readonly https: string;
}

export function targetOf(urls: readonly string[]): Target {
  const named = Object.fromEntries(urls.map(url => [url.slice(0, url.indexOf(':')), url]));
  return named as unknown as Target;
}

export function portOf(url: string): number {
  return Number(/:(\d+)(?:\/|$)/.exec(url)![1]);
}

/** A socket, open and past TLS. Rejects when that fails. */
export async function open(url: string): Promise<Socket> {
  const scheme = url.slice(0, url.indexOf(':'));
  const socket =
    scheme === 'unix'
      ? connectTcp({ path: url.slice('unix:'.length), allowHalfOpen: true })
      : scheme === 'tls' || scheme === 'https'
        ? connectTls({ port: portOf(url), host: '127.0.0.1', rejectUnauthorized: false, allowHalfOpen: true } as object)
        : connectTcp({ port: portOf(url), host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => {});
  await new Promise<void>((resolve, reject) => {
    socket.once(scheme === 'tls' || scheme === 'https' ? 'secureConnect' : 'connect', () => resolve());
    socket.once('close', () => reject(new Error(`${url} refused`)));
  });
  return socket;
}

/** The lines of a socket, one by one; undefined at its end. */
export class LineReader {
  #text = '';
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(socket: Socket) {
    socket.setEncoding('latin1');
    socket.on('data', (text: unknown) => this.#push(String(text)));
    socket.on('end', () => this.#end());
    socket.on('close', () => this.#end());
  }

  async next(): Promise<string | undefined> {
    for (;;) {
      const at = this.#text.indexOf('\n');
      if (at >= 0) {
        const line = this.#text.slice(0, at);
        this.#text = this.#text.slice(at + 1);
        return line;
      }
      if (this.#ended) return undefined;
      await new Promise<void>(resolve => (this.#wake = resolve));
    }
  }

  #push(text: string): void {
    this.#text += text;
    this.#wake?.();
  }

  #end(): void {
    this.#ended = true;
    this.#wake?.();
  }
}

/** An open websocket with its messages. Rejects when it is refused. */
export async function openWebSocket(url: string): Promise<WebSocket> {
  const ws = new WebSocket(url, { rejectUnauthorized: false });
  ws.on('error', () => {});
  await new Promise<void>((resolve, reject) => {
    ws.once('open', () => resolve());
    ws.once('close', () => reject(new Error(`${url} refused`)));
  });
  return ws;
}
