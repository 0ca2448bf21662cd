import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { guard } from '../guard.js';

/** Bytes that a client may send behind a request for an upgrade before it is answered. */
const MAX_EARLY_BYTES = 16 * 1024;

/**
 * Does what Node's HTTP server no longer does on a socket that it has given away for an upgrade while answers are still to be sent on
 * it: tells them when there is room again, and notices that the client has left.
 */
export class StandIn {
  readonly #socket: Socket;
  readonly #early: Buffer[] = [];
  #earlyBytes = 0;
  readonly #drained: () => void;
  readonly #left: () => void;
  readonly #readable: () => void;

  /** @param current the response that the socket belongs to. */
  constructor(socket: Socket, current: () => ServerResponse | undefined) {
    this.#socket = socket;
    this.#drained = guard(socket, () => void current()?.emit('drain'));
    // As Node does: a client that finishes does not wait for its answers.
    this.#left = guard(socket, () => socket.destroySoon());
    this.#readable = guard(socket, () => this.#keep());
    socket.on('drain', this.#drained);
    socket.on('end', this.#left);
    socket.on('error', ignore);
  }

  /** Keeps what the client sends, up to a limit. */
  collect(head: Buffer): void {
    this.#early.push(head);
    // Unlike 'data' it leaves the socket as it was when the listener is removed.
    this.#socket.on('readable', this.#readable);
  }

  /** Ends collecting: another reader serves the socket from here on. Returns the collected bytes. */
  leave(): Buffer {
    this.#socket.off('drain', this.#drained).off('end', this.#left).off('readable', this.#readable).off('error', ignore);
    return Buffer.concat(this.#early);
  }

  #keep(): void {
    const chunk = this.#socket.read() as Buffer | null;
    if (!chunk) return;
    this.#early.push(chunk);
    this.#earlyBytes += chunk.length;
    if (this.#earlyBytes > MAX_EARLY_BYTES) this.#socket.destroy();
  }
}

/** Errors of the socket are reported with its 'close'. */
function ignore(): void {}
