import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { decodedPaths } from './request-target.js';

/** What one endpoint contributes to the server of its host and port. */
export interface Site {
  /** Requests (http) or upgrades to another protocol (ws). */
  readonly kind: 'request' | 'upgrade';
  /** Undefined: every path that no other site of its kind answers. */
  readonly path: string | undefined;
  /** Sockets that may be open at once before they are anybody's. Infinity is off. */
  readonly maxConnections: number;
  /** From a socket's first moment to the end of its first head, in milliseconds. Infinity is off. */
  readonly headTimeout: number;
  /** From a socket's first moment to the end of what comes before HTTP, a proxy's word and TLS, in milliseconds. Infinity is off. */
  readonly handshakeTimeout: number;
  /** How long a connection may wait for its next request, in milliseconds. Undefined: as Node does. */
  readonly keepAliveTimeout: number | undefined;
  /** How long a whole request may take to come, in milliseconds. Undefined: the site sees to it. */
  readonly requestTimeout?: number;
  /** Whether anybody at that address may ask. */
  admits(address: string | undefined): boolean;
  /** Whether the Host of a request may be asked for; any, where this is missing. */
  allowsHost?(request: IncomingMessage): boolean;
  /** Of a site of requests. */
  request?(request: IncomingMessage, response: ServerResponse): void;
  /** Of a site of upgrades: the socket is its own from here on. */
  upgrade?(request: IncomingMessage, socket: Socket, head: Buffer): void;
  /** It answers no more: upgrades that it has not decided on are refused. */
  closed?(): void;
}

function answers({ kind, path }: Site, asked: string): boolean {
  if (path === undefined || path === asked) return true;
  // A site of requests has everything below its path.
  return kind === 'request' && asked.startsWith(path.endsWith('/') ? path : `${path}/`);
}

/** The site for a path: the one with the longest path that fits. */
export function siteFor(sites: Iterable<Site>, kind: Site['kind'], asked: string): Site | undefined {
  let best: Site | undefined;
  for (const site of sites) {
    if (site.kind !== kind || !answers(site, asked)) continue;
    if (!best || (site.path ?? '').length > (best.path ?? '').length) best = site;
  }
  return best;
}

/** A path that may belong to another site once it is decoded: an address rule of that site would not see what the handler may see. */
export function isAmbiguous(sites: Iterable<Site>, kind: Site['kind'], asked: string): boolean {
  const decoded = decodedPaths(asked);
  if (decoded.length === 0) return false;
  const site = siteFor(sites, kind, asked);
  return decoded.some(path => siteFor(sites, kind, path) !== site);
}

/** Both want to answer the same. */
export function collides(site: Site, other: Site): boolean {
  return site.kind === other.kind && site.path === other.path;
}
