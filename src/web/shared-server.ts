import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import type { TlsOptions } from '../decorators/connection/endpoint-types.js';
import type { EndpointTarget } from '../endpoints/endpoint.js';
import { listenError } from '../endpoints/system-errors.js';
import { ListenError } from '../errors.js';
import { HttpServer, type Binding } from './http-server.js';
import { webUrl } from './web-url.js';
import type { VirtualPath } from './site.js';

/** The servers of each reactor: what is not one application does not share. */
const SERVERS = new WeakMap<object, Set<HttpServer>>();

function serversOf(reactor: object): Set<HttpServer> {
  let servers = SERVERS.get(reactor);
  if (!servers) SERVERS.set(reactor, (servers = new Set()));
  return servers;
}

function speakAlike(a: Binding, b: Binding): boolean {
  if (!isDeepStrictEqual(a.options['proxyProtocol'], b.options['proxyProtocol'])) return false;
  if ((a.source === undefined) !== (b.source === undefined)) return false;
  return a.tls === b.tls || isDeepStrictEqual(a.tls, b.tls);
}

async function bindingOf({ url, options, source }: EndpointTarget): Promise<Binding> {
  // The blueprint has checked the url.
  const { secure, host, port } = webUrl(url)!;
  const tls = secure ? ((options['tls'] as TlsOptions | undefined) ?? {}) : undefined;
  try {
    const address = isIP(host) ? host : (await lookup(host)).address;
    return { url, address, port, tls, options, source };
  } catch (error) {
    throw listenError(url, error);
  }
}

/** A site on the server of its host and port. */
export interface Membership {
  readonly host: string;
  readonly port: number;
  readonly server: HttpServer;
  /** Resolves when the site answers no more; with the last one of a server, when the address is free. */
  leave(): Promise<void>;
}

/**
 * Adds a site to the server of its host and port, which is bound for the first one. Endpoints of one reactor that write the same host
 * and port share, port 0 too as long as they do not want the same path.
 * @throws ListenError
 */
export async function share(target: EndpointTarget, reactor: object, site: VirtualPath): Promise<Membership> {
  const binding = await bindingOf(target);
  const servers = serversOf(reactor);
  const there = [...servers].filter(server => server.isAt(binding));
  let server = there.find(known => speakAlike(known.binding, binding) && known.hasRoomFor(site));
  if (server) server.add(site, target.source);
  else {
    if (there.length > 0 && binding.port !== 0) {
      const wrong = speakAlike(there[0]!.binding, binding) ? 'path' : 'port, with other certificates or proxies, or none';
      throw new ListenError(target.url, `another endpoint of this application listens there: the same ${wrong}`);
    }
    servers.add((server = new HttpServer(binding, site)));
  }
  const joined = server;
  const leave = (): Promise<void> => joined.remove(site).finally(() => forgetClosed(servers));
  try {
    return { ...(await joined.ready()), server: joined, leave };
  } catch (error) {
    await leave();
    throw error;
  }
}

/** See {@link HttpServer.lastAnswers}, of all servers of a reactor. */
export async function lastAnswersOf(reactor: object): Promise<void> {
  await Promise.all([...serversOf(reactor)].map(server => server.lastAnswers()));
}

function forgetClosed(servers: Set<HttpServer>): void {
  for (const server of servers) if (server.isClosed) servers.delete(server);
}
