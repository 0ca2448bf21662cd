import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { atEnd } from '../cleanup.js';
import { soon, type WaitOptions } from '../wait-for.js';

/** A plain datagram socket, as a test uses one: it knows nothing of the framework. */
export class UdpClient {
  readonly socket: Socket;
  readonly #arrived: { readonly message: Buffer; readonly info: RemoteInfo }[] = [];
  #wake: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('message', (message, info) => {
      this.#arrived.push({ message, info });
      for (const wake of this.#wake.splice(0)) wake();
    });
  }

  /** Bound to a free port of the loopback. */
  static async open(address = '127.0.0.1'): Promise<UdpClient> {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    socket.bind(0, address);
    await once(socket, 'listening');
    atEnd(() => void socket.close());
    return new UdpClient(socket);
  }

  get port(): number {
    return this.socket.address().port;
  }

  /** Resolves when the kernel has it: on the loopback it lies at the receiver then. */
  send(message: string | Buffer, port: number, address = '127.0.0.1'): Promise<void> {
    return new Promise((resolve, reject) => this.socket.send(message, port, address, error => (error ? reject(error) : resolve())));
  }

  /** The next datagram. */
  async next(options: WaitOptions = {}): Promise<{ readonly message: Buffer; readonly info: RemoteInfo }> {
    while (this.#arrived.length === 0) {
      await soon(new Promise<void>(resolve => this.#wake.push(resolve)), { within: '5s', what: 'a datagram', ...options });
    }
    return this.#arrived.shift()!;
  }

  async text(options: WaitOptions = {}): Promise<string> {
    return (await this.next(options)).message.toString();
  }

  async texts(count: number): Promise<string[]> {
    const all: string[] = [];
    while (all.length < count) all.push(await this.text());
    return all;
  }
}
