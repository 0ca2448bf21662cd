import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { once } from 'node:events';
import { atEnd } from '../cleanup.js';
import { Inbox } from '../inbox.js';
import { soon, type WaitOptions } from '../wait-for.js';

/** A plain socket, as a test uses one: it knows nothing of the framework. */
export class TcpClient {
  readonly socket: Socket;
  readonly inbox = new Inbox();
  /** Resolves when both directions are over: true after an error (a reset). */
  readonly closed: Promise<boolean>;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.inbox.push(chunk));
    socket.on('end', () => this.inbox.end());
    // A reset is a result that a test asks `closed` for.
    socket.on('error', () => {});
    this.closed = new Promise(resolve => {
      socket.on('close', hadError => {
        this.inbox.end();
        resolve(hadError);
      });
    });
  }

  /** Sends; resolves when the kernel has it. */
  send(data: string | Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.write(data, error => (error ? reject(error) : resolve()));
    });
  }

  line(options?: WaitOptions): Promise<string> {
    return this.inbox.line(options);
  }

  async lines(count: number, options?: WaitOptions): Promise<string[]> {
    const lines: string[] = [];
    while (lines.length < count) lines.push(await this.inbox.line(options));
    return lines;
  }

  bytes(count: number, options?: WaitOptions): Promise<Buffer> {
    return this.inbox.bytes(count, options);
  }

  /** What comes until the other side ends. */
  async all(options?: WaitOptions): Promise<string> {
    return (await this.inbox.rest(options)).toString();
  }

  /** Sends the last bytes and a FIN; reading goes on. */
  end(data?: string | Uint8Array): void {
    if (data === undefined) this.socket.end();
    else this.socket.end(data);
  }

  /** Leaves with a RST. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  async destroy(): Promise<void> {
    this.socket.destroy();
    await this.closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.destroy();
  }
}

/**
 * Connects to a port of the loopback, or to whatever `net.connect` takes; destroyed at the end of the test.
 * @example const client = await tcpClient(port); await client.send('1+1\n'); expect(await client.line()).to.equal('2');
 */
export async function tcpClient(target: number | NetConnectOpts, options: WaitOptions = {}): Promise<TcpClient> {
  // allowHalfOpen: a FIN of the server must not end what the test still sends.
  const base = { allowHalfOpen: true };
  const socket = connect(typeof target === 'number' ? { ...base, port: target, host: '127.0.0.1' } : { ...base, ...target });
  const client = new TcpClient(socket);
  const forget = atEnd(() => client.destroy());
  void client.closed.then(forget);
  await soon(once(socket, 'connect'), { what: 'a connection', ...options });
  return client;
}
