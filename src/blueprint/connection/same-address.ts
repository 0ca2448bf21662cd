import type { Mistake } from '../../errors.js';
import { schemeNamed } from '../../endpoints/endpoint.js';
import { reporter } from '../mistakes.js';
import { schemeOf } from './endpoints.js';
import type { ConnectionBlueprint } from '../types.js';
import { routeKey } from './route-path.js';

const HOST_AND_PORT = /^[a-z]+:\/\/(\[[^\]]*\]|[^:/?#]*):(\d+)/i;
const EVERYWHERE = new Set(['0.0.0.0', '::']);
const LOOPBACK = '127.0.0.1';

interface Place {
  readonly name: string;
  readonly url: string;
  readonly host: string;
  readonly port: string;
  /** 'udp', or 'tcp' for everything that TCP carries. */
  readonly protocol: string;
  /** Endpoints of the web share a port: each request says which of them it is for. */
  readonly shares: boolean;
}

function placesOf({ name, listen }: ConnectionBlueprint): Place[] {
  return listen().flatMap(endpoint => {
    const scheme = schemeOf(endpoint);
    const known = schemeNamed(scheme);
    const [, host, port] = HOST_AND_PORT.exec(known?.carrier?.(endpoint.url) ?? endpoint.url) ?? [];
    // Port 0 is another one each time.
    // Several programs, and endpoints, may hear one multicast group.
    if (endpoint.options['multicast'] !== undefined) return [];
    // A port that there cannot be is told as that.
    if (host === undefined || port === undefined || !(Number(port) > 0 && Number(port) <= 65_535)) return [];
    const bare = host.replace(/^\[(.*)\]$/, '$1') || LOOPBACK;
    const protocol = scheme === 'udp' ? 'udp' : 'tcp';
    return [{ name, url: endpoint.url, host: bare, port: String(Number(port)), protocol, shares: known?.shares === true }];
  });
}

function isTaken(a: Place, b: Place): boolean {
  if (a.port !== b.port || a.protocol !== b.protocol || (a.shares && b.shares)) return false;
  return a.host === b.host || EVERYWHERE.has(a.host) || EVERYWHERE.has(b.host);
}

/** Reports endpoints of one application of which only the first could be bound. */
export function sameAddresses(connections: readonly ConnectionBlueprint[], mistakes: Mistake[]): void {
  const places: Place[] = [];
  for (const place of connections.flatMap(placesOf)) {
    const other = places.find(each => isTaken(each, place));
    if (other) {
      reporter(place.name, mistakes)(
        'listen',
        `'${place.url}' and '${other.url}' of ${other.name} are the same port, and only one can listen there`,
        'give each a port of its own',
      );
    } else places.push(place);
  }
}

type Answering = Pick<ConnectionBlueprint, 'routes' | 'hooks'>;

/**
 * Reports routes of several classes that answer the same at one url: only one could be called. Port 0 is another one each time where
 * classes cannot share it.
 */
export function sameRoutes(connections: readonly ConnectionBlueprint[], mistakes: Mistake[]): void {
  const known = new Map<string, ConnectionBlueprint>();
  for (const connection of connections) {
    const urls = connection
      .listen()
      .flatMap(({ url }) => (schemeNamed(schemeOf({ url, options: {} }))?.serves === 'requests' ? [url] : []));
    for (const url of urls.filter(each => HOST_AND_PORT.exec(each)?.[2] !== '0')) {
      for (const route of connection.routes) {
        const key = `${url.replace(/\/$/, '')} ${routeKey(route)}`;
        const other = known.get(key);
        if (!other) known.set(key, connection);
        else if (other !== connection) {
          reporter(connection.name, mistakes)(
            String(route.key),
            `@${route.as}('${route.path}') at '${url}' is answered by ${other.name}, too`,
            'give one of them another path, or another endpoint',
          );
        }
      }
    }
  }
}

/** Whether two classes may answer at one url: no route of one answers what a route of the other does, and one at most has `@OnRequest`. */
export function answerApart(a: Answering, b: Answering): boolean {
  if (a.hooks.request.length > 0 && b.hooks.request.length > 0) return false;
  const keys = new Set(a.routes.map(routeKey));
  return b.routes.every(route => !keys.has(routeKey(route)));
}
