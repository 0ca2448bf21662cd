import type { Socket } from 'node:net';
import type { TlsOptions } from '../decorators/connection/endpoint-types.js';
import { readProxyHeader } from '../endpoints/net/proxy-header.js';
import type { ProxyHeader, ProxyPlace } from '../endpoints/net/proxy-protocol.js';
import { handshake } from '../endpoints/tls/tls-handshake.js';

/** Replaces the addresses that Node's sockets report: all code built on them uses these. */
function assume(socket: Socket, { source, destination }: NonNullable<ProxyHeader['client']>): void {
  const ends: readonly (readonly [string, ProxyPlace])[] = [
    ['remote', source],
    ['local', destination],
  ];
  for (const [side, { address, port }] of ends) {
    const family = address?.includes(':') ? 'IPv6' : 'IPv4';
    for (const [name, value] of Object.entries({ Address: address, Port: port, Family: address && family }))
      Object.defineProperty(socket, `${side}${name}`, { value, configurable: true });
  }
}

/**
 * Runs the handshakes before HTTP on a socket: the PROXY header, then TLS. Until it returns it alone handles the socket's errors.
 * @param admits asked for the client that a proxy names; its exception is thrown.
 * @returns the socket that HTTP is spoken on. It gives the client's address as its own remote one.
 * @throws ProxyProtocolError, or the error of the handshake. The caller closes the socket.
 */
export async function prepared(
  plain: Socket,
  { tls, proxied }: { readonly tls: TlsOptions | undefined; readonly proxied: boolean },
  admits: (address: string | undefined) => void,
): Promise<Socket> {
  const ignore = (): void => {};
  plain.on('error', ignore);
  const client = proxied ? (await readProxyHeader(plain)).client : undefined;
  if (client) assume(plain, client);
  if (proxied) admits(plain.remoteAddress);
  if (!tls) {
    plain.off('error', ignore);
    return plain;
  }
  const socket = await new Promise<Socket>((onSecured, onFailed) => handshake(plain, { tls, isServer: true }, { onSecured, onFailed }));
  if (client) assume(socket, client);
  return socket;
}
