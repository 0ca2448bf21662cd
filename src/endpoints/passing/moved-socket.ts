import type { Socket } from 'node:net';
import type { Transport } from '../endpoint.js';
import { tcpTransport } from '../net/tcp.js';
import { unixPathOf, unixTransport } from '../net/unix.js';

/** A connection that came from another process, with what was read of it there. `url`: where it had come in. */
export function transportFor(url: string, socket: Socket, rest: Uint8Array | undefined): Transport {
  if (rest && rest.length > 0) socket.unshift(rest);
  return /^unix:/i.test(url) ? unixTransport(unixPathOf(url), false)(socket) : tcpTransport(socket);
}
