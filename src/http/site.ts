import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

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
  /** Of a site of requests. */
  request?(request: IncomingMessage, response: ServerResponse): void;
  /** Of a site of upgrades: the socket is its own from here on. */
  upgrade?(request: IncomingMessage, socket: Socket, head: Buffer): void;
}

/** Without the query; and of a whole url, as a proxy's client may write it, without all that comes before the path. */
export function pathOf({ url = '/' }: IncomingMessage): string {
  const query = url.indexOf('?');
  const bare = query < 0 ? url : url.slice(0, query);
  return bare.startsWith('/') ? bare : bare.replace(/^https?:\/\/[^/]*/i, '') || '/';
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

/** Both want to answer the same. */
export function collides(site: Site, other: Site): boolean {
  return site.kind === other.kind && site.path === other.path;
}
