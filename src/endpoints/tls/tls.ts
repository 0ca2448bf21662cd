import type { Socket } from 'node:net';
import type { TlsOptions } from '../../decorators/connection/endpoint-types.js';
import type { Acceptor, Bound, EndpointTarget, Scheme, TlsStart, Transport } from '../endpoint.js';
import { registerScheme } from '../endpoint.js';
import { dialSocket } from '../net/net-dial.js';
import { SocketTransport } from '../net/socket-transport.js';
import { checkHostAndPort, hostAndPort, listenAtPort, placesOf, socketOptions } from '../net/tcp.js';
import { flawOf } from './tls-credentials.js';

const PLACES = placesOf('tls');
const DEFAULTS: TlsOptions = {};

function tlsOf({ options }: EndpointTarget): TlsOptions {
  // The blueprint has checked it.
  return (options['tls'] as TlsOptions | undefined) ?? DEFAULTS;
}

/** A TCP socket on which nothing is said before the handshake. */
class TlsTransport extends SocketTransport {
  readonly #how: TlsStart;

  constructor(socket: Socket, how: TlsStart) {
    super(socket, PLACES);
    this.#how = how;
  }

  override get detachable(): boolean {
    return false;
  }

  handshake(): Promise<void> {
    return this.startTls(this.#how);
  }
}

function listen(target: EndpointTarget, acceptor: Acceptor): Promise<Bound> {
  const how: TlsStart = { tls: tlsOf(target), isServer: true };
  return listenAtPort('tls', target, socket => new TlsTransport(socket, how), acceptor);
}

function connect(target: EndpointTarget, signal: AbortSignal): Promise<Transport> {
  const { url, options } = target;
  const where = hostAndPort(url)!;
  const how: TlsStart = { tls: tlsOf(target), isServer: false, host: where.host };
  return dialSocket(url, { ...where, ...socketOptions(options) }, signal, socket => new TlsTransport(socket, how));
}

function check(target: EndpointTarget, use: 'listen' | 'connect'): string | undefined {
  const wrong = checkHostAndPort(target.url, use);
  if (wrong !== undefined) return wrong;
  const tls = tlsOf(target);
  if (use === 'listen' && tls.cert === undefined && tls.key === undefined && tls.sni === undefined)
    return 'it has no certificate: write tls: { cert, key } beside the url';
  const flaw = flawOf(tls);
  return flaw === undefined ? undefined : `its certificate cannot be used: ${flaw}`;
}

/** `tls://host:port` with `tls: { cert, key, ca, … }`: TLS 1.2 or newer over TCP, verified. */
export const tls: Scheme = { name: 'tls', proxied: true, carrier: url => url.replace(/^tls/i, 'tcp'), listen, connect, check };

registerScheme(tls);
