import type { Socket } from 'node:net';

/** The TCP or unix socket beneath each TLS socket that this process has secured. */
const BENEATH = new WeakMap<Socket, Socket>();

/** Notes which socket a TLS socket was made on: a reset is sent there. */
export function noteSecured(secured: Socket, plain: Socket): void {
  BENEATH.set(secured, plain);
}

/** The TCP or unix socket beneath a TLS socket; any other socket itself. */
export function beneath(socket: Socket): Socket {
  return BENEATH.get(socket) ?? socket;
}

/**
 * Closes a socket at once with a TCP reset (RST), so that the peer can tell a cut-off answer from a finished one; bytes that it has not
 * received are dropped. A unix socket has no reset and is destroyed. A TLS socket resets the connection beneath it, without close_notify.
 * @example if (response.socket) resetSocket(response.socket);
 */
export function resetSocket(socket: Socket): void {
  const plain = beneath(socket);
  // While a shutdown is under way libuv refuses to reset, and Node loses the descriptor. Everything is with the kernel then.
  const isEnding = socket.writableEnded && !socket.writableFinished && socket.writableLength === 0;
  if (!plain.destroyed && !isEnding) {
    try {
      plain.resetAndDestroy();
    } catch {
      // Not TCP: Node throws ERR_INVALID_HANDLE_TYPE.
      plain.destroy();
    }
  }
  socket.destroy();
}
