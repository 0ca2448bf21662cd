import type { Socket } from 'node:net';
import { toMilliseconds, type Duration, type Off } from '../../units.js';
import type { Acceptor, Bound, EndpointTarget, Remote, Scheme, Transport } from '../endpoint.js';
import { registerScheme } from '../endpoint.js';
import { dialSocket } from './net-dial.js';
import { NetListener } from './net-listener.js';
import { SocketTransport, type Places } from './socket-transport.js';

const URL_PARTS = /^[a-z]+:\/\/(\[[0-9a-f:.%a-z]*\]|[^:/?#[\]]*):(\d{1,5})\/?$/i;
const LOOPBACK = '127.0.0.1';
const BACKLOG = 1024;
const KEEP_ALIVE = '1m';

/** The two parts of `scheme://host:port`; an empty host is the loopback. Undefined: it is not written so. */
export function hostAndPort(url: string): { readonly host: string; readonly port: number } | undefined {
  const [, host, digits] = URL_PARTS.exec(url) ?? [];
  const port = Number(digits);
  if (host === undefined || !(port <= 65_535)) return undefined;
  return { host: host === '' ? LOOPBACK : host.replace(/^\[(.*)\]$/, '$1'), port };
}

/** `scheme://host:port`, with an IPv6 address in brackets. */
export function tcpUrlOf(scheme: string, host: string, port: number): string {
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** The address of a peer or of this side, for a scheme over TCP. */
export function tcpPlaceOf(scheme: string, address: string | undefined, port: number | undefined): Remote {
  if (address === undefined || port === undefined) return { url: `${scheme}:` };
  return { url: tcpUrlOf(scheme, address, port), address, port };
}

/** Where the two ends of a scheme over TCP are. */
export function placesOf(scheme: string): Places {
  return {
    remote: (address, port) => tcpPlaceOf(scheme, address, port),
    local: ({ localAddress, localPort }) => tcpPlaceOf(scheme, localAddress, localPort),
  };
}

const PLACES = placesOf('tcp');

/** A connected TCP socket as a transport. */
export function tcpTransport(socket: Socket): Transport {
  return new SocketTransport(socket, PLACES);
}

/** Options for every socket that is made. */
export function socketOptions(options: EndpointTarget['options']): { noDelay: boolean; keepAlive: boolean; keepAliveInitialDelay: number } {
  const idle = toMilliseconds((options['keepAlive'] as Duration | Off | undefined) ?? KEEP_ALIVE);
  return { noDelay: options['noDelay'] !== false, keepAlive: idle > 0, keepAliveInitialDelay: idle };
}

/** How many connections the kernel holds until they are accepted. */
export function backlogOf(options: EndpointTarget['options']): number {
  return (options['backlog'] as number | undefined) ?? BACKLOG;
}

/** Where to bind, and how many may wait there. */
export function listenOptions({ url, options }: EndpointTarget): { host: string; port: number; backlog: number } {
  // The blueprint has checked the url.
  return { ...hostAndPort(url)!, backlog: backlogOf(options) };
}

/** Listens with Node's sockets at the host and port of its url. Throws ListenError. */
export async function listenAtPort(
  scheme: string,
  target: EndpointTarget,
  toTransport: (socket: Socket) => Transport,
  acceptor: Acceptor,
): Promise<Bound> {
  const listener = await NetListener.bind(target, socketOptions(target.options), listenOptions(target), toTransport, acceptor);
  const bound = listener.server.address();
  // If another process has bound, the address is taken as it was written.
  const { host, port } = typeof bound === 'object' && bound ? { host: bound.address, port: bound.port } : hostAndPort(target.url)!;
  return { address: { url: tcpUrlOf(scheme, host, port), host, port }, close: () => listener.close() };
}

function connect({ url, options }: EndpointTarget, signal: AbortSignal): Promise<Transport> {
  // Every address of the name is tried, of both families.
  return dialSocket(url, { ...hostAndPort(url)!, ...socketOptions(options) }, signal, tcpTransport);
}

const PORT = /^[a-z]+:\/\/(?:\[[^\]]*\]|[^:/?#[\]]*):([+-]?\d+)(?:[/?#]|$)/i;

/** A host or port that there cannot be, in words; undefined: the url has none, or one that can be. */
export function checkPort(url: string): string | undefined {
  if (/^[a-z]+:\/\/[^/?#]*\*/i.test(url)) return "'*' is no host: all interfaces are 0.0.0.0, or [::] with IPv6";
  const port = PORT.exec(url)?.[1];
  return port === undefined || (/^\d/.test(port) && Number(port) <= 65_535) ? undefined : `there is no port ${port}: ports are 0 to 65535`;
}

/** The mistake in `scheme://host:port`, in words, or undefined. */
export function checkHostAndPort(url: string, use: 'listen' | 'connect'): string | undefined {
  const port = checkPort(url);
  if (port !== undefined) return port;
  const parts = hostAndPort(url);
  const scheme = url.slice(0, url.indexOf(':'));
  if (!parts) return `it is not written like '${scheme}://host:port' or '${scheme}://[::1]:port'`;
  return use === 'connect' && parts.port === 0 ? 'port 0 cannot be connected to' : undefined;
}

/** `tcp://host:port`. Port 0 picks a free one; an empty host is the loopback. */
export const tcp: Scheme = {
  name: 'tcp',
  proxied: true,
  carrier: url => url,
  listen: (target, acceptor) => listenAtPort('tcp', target, tcpTransport, acceptor),
  connect,
  check: ({ url }, use) => checkHostAndPort(url, use),
};

registerScheme(tcp);
