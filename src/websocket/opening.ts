import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { isSameHost } from '../web/request/same-host.js';

/** Rules for opening a websocket. */
export interface OpeningRules {
  /** Besides the host itself; '*' is all. */
  readonly origins: readonly string[];
  /** Names of the loopback, besides addresses and localhost. */
  readonly hosts: readonly string[];
  /** Subprotocols, best first; undefined: none is spoken of. */
  readonly protocols: readonly string[] | undefined;
}

/** Why not, as HTTP says it. */
export interface OpeningRefusal {
  readonly status: number;
  /** For events: the option that refuses it, or the header that is wrong. */
  readonly reason: string;
  readonly why: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const KEY = /^[+/0-9A-Za-z]{22}==$/;
const HOST = /^(\[[0-9a-f:.]+\]|[^:/?#@\s]+)(?::\d+)?$/i;
const TOKENS = /^[!#$%&'*+\-.^_`|~0-9a-z]+(?:[ \t]*,[ \t]*[!#$%&'*+\-.^_`|~0-9a-z]+)*$/i;
const LOOPBACK = /^(?:127\.|::1$|::ffff:127\.)/;

function isLocalName(name: string, hosts: readonly string[]): boolean {
  return isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0 || name === 'localhost' || hosts.some(host => host.toLowerCase() === name);
}

/** The subprotocols that a client offers. */
export function offersOf(request: IncomingMessage): readonly string[] {
  const header = request.headers['sec-websocket-protocol'];
  return header === undefined ? [] : header.split(',').map(name => name.trim());
}

/** The best subprotocol that is spoken on both sides. */
export function agreed(protocols: readonly string[] | undefined, offers: Iterable<string>): string | undefined {
  const offered = new Set(offers);
  return protocols?.find(protocol => offered.has(protocol));
}

/**
 * Whether a request for a websocket is one, and from an allowed origin. A page of another origin would act with its visitor's cookies,
 * and one whose name was bound to the loopback would reach what listens there: both are refused unless they are named. `askedHost` is what
 * the browser asked for, which a proxy may have replaced in Host.
 */
export function openingRefusal(
  request: IncomingMessage,
  { origins, hosts, protocols }: OpeningRules,
  askedHost = request.headers.host ?? '',
): OpeningRefusal | undefined {
  const { method, headers, socket } = request;
  const { origin, host = '' } = headers;
  if (method !== 'GET') return { status: 405, reason: 'method', why: 'a websocket is opened with GET', headers: { Allow: 'GET' } };
  if (headers['sec-websocket-version'] !== '13') {
    return {
      status: 426,
      reason: 'version',
      why: 'version 13 is spoken here',
      headers: { Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' },
    };
  }
  if (!KEY.test(headers['sec-websocket-key'] ?? '')) return { status: 400, reason: 'key', why: 'Sec-WebSocket-Key is missing or wrong' };
  const name = HOST.exec(host)?.[1]?.toLowerCase();
  if (name === undefined) return { status: 400, reason: 'host', why: 'Host is missing or wrong' };
  if (LOOPBACK.test(socket.localAddress ?? '') && !isLocalName(name, hosts)) {
    return { status: 403, reason: 'hosts', why: 'on the loopback, Host is an address, localhost, or one of `hosts`' };
  }
  if (origin !== undefined && !origins.includes('*') && !origins.includes(origin) && !isSameHost(origin, askedHost)) {
    return { status: 403, reason: 'origins', why: 'Origin is not this host, nor one of `origins`' };
  }
  const offer = headers['sec-websocket-protocol'];
  if (offer !== undefined && !TOKENS.test(offer)) return { status: 400, reason: 'protocols', why: 'Sec-WebSocket-Protocol is wrong' };
  if (protocols && offer !== undefined && agreed(protocols, offersOf(request)) === undefined) {
    return { status: 400, reason: 'protocols', why: `none of the subprotocols offered is spoken here: ${protocols.join(', ')}` };
  }
  return undefined;
}
