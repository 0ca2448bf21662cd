import { once } from 'node:events';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { atEnd } from '../cleanup.js';
import { TcpClient } from './tcp-client.js';
import { soon } from '../wait-for.js';

/** A client of Node's own that speaks TLS: past the handshake, or rejected with why not. Destroyed at the end of the test. */
export async function tlsClient(options: ConnectionOptions): Promise<TcpClient & { readonly socket: TLSSocket }> {
  const socket = connect({ host: '127.0.0.1', ...options });
  const client = new TcpClient(socket);
  const forget = atEnd(() => client.destroy());
  void client.closed.then(forget);
  await soon(once(socket, 'secureConnect'), { what: 'a TLS handshake' });
  // Cast: it was made of this very socket.
  return client as TcpClient & { readonly socket: TLSSocket };
}

/** STARTTLS on a plain client that was told to go ahead. */
export function secured({ socket }: TcpClient, options: ConnectionOptions): Promise<TcpClient & { readonly socket: TLSSocket }> {
  socket.removeAllListeners('data');
  return tlsClient({ ...options, socket });
}
