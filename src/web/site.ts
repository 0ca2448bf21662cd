import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { RouteBlueprint } from '../blueprint/connection/route-types.js';
import { decodedPaths } from './request-target.js';
import { isMoreSpecific, type Router } from './routes/router.js';

/** The routes of a site. */
export interface SiteRoutes {
  readonly router: Router;
  /** Requests that no route answers are answered, too. */
  readonly hasFallback: boolean;
  /** The methods that a path has routes for, at all sites of the same path. */
  methodsAt(path: string): ReadonlySet<string>;
}

/** The part of one endpoint in the server of its host and port. */
export interface VirtualPath {
  /** Requests (http) or upgrades to another protocol (ws). */
  readonly kind: 'request' | 'upgrade';
  /** Undefined: every path that no other site of its kind answers. */
  readonly path: string | undefined;
  /** For endpoints of requests with routes: others of the same path may answer what these do not. */
  readonly routes?: SiteRoutes | undefined;
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
  /** For endpoints of requests: answers one. */
  request?(request: IncomingMessage, response: ServerResponse): void;
  /** For endpoints of upgrades: takes over the socket. */
  upgrade?(request: IncomingMessage, socket: Socket, head: Buffer): void;
  /** The endpoint answers no more: upgrades that it has not decided on are refused. */
  onClosed?(): void;
}

function answers({ kind, path }: VirtualPath, asked: string): boolean {
  if (path === undefined || path === asked) return true;
  // A site of requests has everything below its path.
  return kind === 'request' && asked.startsWith(path.endsWith('/') ? path : `${path}/`);
}

/** How well a path fits a request: the more, the higher. */
interface Claim {
  readonly rank: 'nothing' | 'everything' | 'path' | 'route';
  readonly route?: RouteBlueprint;
}
const RANKS: readonly Claim['rank'][] = ['nothing', 'everything', 'path', 'route'];

function claimOf({ routes }: VirtualPath, method: string, asked: string): Claim {
  if (!routes) return { rank: 'everything' };
  const match = routes.router.match(method, asked);
  if (match) return { rank: 'route', route: match.route };
  if (routes.router.methodsAt(asked).size > 0) return { rank: 'path' };
  return { rank: routes.hasFallback ? 'everything' : 'nothing' };
}

function isHigher(claim: Claim, than: Claim): boolean {
  if (claim.route && than.route) return isMoreSpecific(claim.route, than.route);
  return RANKS.indexOf(claim.rank) > RANKS.indexOf(than.rank);
}

/**
 * The site for a path: the one with the longest path that fits. Of several with that path the one whose route fits best, then one that has
 * the path for other methods, then one that answers everything.
 */
export function virtualPathFor(
  sites: Iterable<VirtualPath>,
  kind: VirtualPath['kind'],
  asked: string,
  method = 'GET',
): VirtualPath | undefined {
  let best: VirtualPath[] = [];
  for (const site of sites) {
    if (site.kind !== kind || !answers(site, asked)) continue;
    const longer = (site.path ?? '').length - (best[0]?.path ?? '').length;
    if (longer > 0 || best.length === 0) best = [site];
    else if (longer === 0) best.push(site);
  }
  if (best.length < 2) return best[0];
  const [first, ...others] = best.map(site => ({ site, claim: claimOf(site, method, asked) }));
  return others.reduce((highest, other) => (isHigher(other.claim, highest.claim) ? other : highest), first!).site;
}

/** A path that may belong to another site once it is decoded: an address rule of that site would not see what the handler may see. */
export function isAmbiguous(sites: Iterable<VirtualPath>, kind: VirtualPath['kind'], asked: string, method?: string): boolean {
  const decoded = decodedPaths(asked);
  if (decoded.length === 0) return false;
  const site = virtualPathFor(sites, kind, asked, method);
  return decoded.some(path => virtualPathFor(sites, kind, path, method) !== site);
}

/** Both want to answer the same. */
export function isSameAddress(site: VirtualPath, other: VirtualPath): boolean {
  if (site.kind !== other.kind || site.path !== other.path) return false;
  if (!site.routes || !other.routes) return !(site.routes ?? other.routes) || (site.routes ?? other.routes)!.hasFallback;
  return (site.routes.hasFallback && other.routes.hasFallback) || site.routes.router.overlaps(other.routes.router);
}
