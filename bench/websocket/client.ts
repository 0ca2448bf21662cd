import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const TEXT = 'hello, world';
/** Client to server: final text frame, masked with zeros. */
const QUESTION = Buffer.concat([Buffer.of(0x81, 0x80 | TEXT.length, 0, 0, 0, 0), Buffer.from(TEXT)]);
const ANSWER_LENGTH = 2 + TEXT.length;

/**
 * One connection that asks by hand: a client library would cost more than the servers that are compared. It counts bytes, because the
 * answer to so many questions is so many bytes.
 */
export class Asker {
  readonly #socket: Socket;
  #missing = 0;
  #answered: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', chunk => {
      this.#missing -= chunk.length;
      if (this.#missing === 0) this.#answered?.();
      else if (this.#missing < 0) socket.destroy(new Error('more was answered than was asked'));
    });
  }

  static async connect(port: number): Promise<Asker> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    socket.write(
      `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`,
    );
    const [head] = (await once(socket, 'data')) as [Buffer];
    if (!head.toString('latin1').startsWith('HTTP/1.1 101')) throw new Error(`no upgrade: ${head.toString('latin1')}`);
    return new Asker(socket);
  }

  /** So many questions in one write; settles when all are answered. */
  ask(count: number): Promise<void> {
    this.#missing = count * ANSWER_LENGTH;
    this.#socket.write(count === 1 ? QUESTION : Buffer.concat(Array.from({ length: count }, () => QUESTION)));
    return new Promise(resolve => (this.#answered = resolve));
  }

  close(): void {
    this.#socket.destroy();
  }
}
