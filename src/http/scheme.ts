import { registerScheme, type Acceptor, type Bound, type EndpointTarget, type Scheme } from '../endpoints/endpoint.js';
import { raw } from '../framing/raw.js';
import { Admission } from '../reactor/listen/admission.js';
import { registerRequestScopes } from '../reactor/request-host.js';
import type { CorsOptions } from '../decorators/connection/cors-types.js';
import { publish } from '../diagnostics.js';
import { asError } from '../errors.js';
import type { IncomingMessage } from 'node:http';
import { Cors } from '../web/headers/cors.js';
import { pathOfTarget } from '../web/request-target.js';
import { resolveLimits } from '../session/limits.js';
import { toMilliseconds, type Duration, type Off } from '../units.js';
import { RequestArrival } from './arrival.js';
import { checkUrl } from '../web/check-url.js';
import { Exchange } from './exchange.js';
import { isHostAllowed } from './host-rule.js';
import { announcesTooMuch, bodyTooLarge } from '../web/incoming.js';
import { MountArrival, MountScope } from './mount/mount-guest.js';
import { shareMount, type ArrivalOf } from './mount/mount-site.js';
import { Mount } from './mount/mount.js';
import { forwardedBy, trustedProxies } from '../web/request/forwarded.js';
import { socketUrlOf, sitePathOf, webUrlOf } from '../web/web-url.js';
import { lastAnswersOf, share } from '../web/shared-server.js';
import type { HttpServer } from '../web/http-server.js';
import { Router } from '../web/routes/router.js';
import type { VirtualPath, SiteRoutes } from '../web/site.js';

/** The routes of the class that listens; undefined: it has none. */
function routesOf(
  { requests }: EndpointTarget,
  sitePath: string | undefined,
  server: () => HttpServer | undefined,
): SiteRoutes | undefined {
  if (!requests || requests.routes.length === 0) return undefined;
  const router = new Router(requests.routes, sitePath);
  const methodsAt = (path: string): ReadonlySet<string> => server()?.methodsAt(sitePath, path) ?? router.methodsAt(path);
  return { router, hasFallback: requests.hasFallback, methodsAt };
}

/** The methods of a request's path, for preflights. */
function methodsOf(routes: SiteRoutes | undefined): ((request: IncomingMessage) => ReadonlySet<string>) | undefined {
  return routes && (request => routes.methodsAt(pathOfTarget(request)));
}

/** Tells a browser what pages of other origins may do. Whether that is the whole answer: a preflight, or the function of `cors` threw. */
function isAnswered(arrival: RequestArrival): boolean {
  const { cors, request, response } = arrival;
  try {
    return cors?.apply(request, response) ?? false;
  } catch (thrown) {
    const error = asError(thrown);
    publish('connection.error', { handler: 'cors', during: 'message', error });
    arrival.answer(500, 'internal error');
    return true;
  }
}

async function listen(scheme: 'http' | 'https', target: EndpointTarget, acceptor: Acceptor): Promise<Bound> {
  const { url, options } = target;
  const joined: { server?: HttpServer } = {};
  const limits = resolveLimits(options, raw(), scheme, 'listen');
  const admission = new Admission(limits, options);
  const hosts = (options['hosts'] as readonly string[] | undefined) ?? [];
  const trusted = trustedProxies(options);
  const idle = options['idleTimeout'] as Duration | Off | undefined;
  const path = sitePathOf(url);
  const routes = routesOf(target, path, () => joined.server);
  const site: Omit<VirtualPath, 'kind' | 'request'> = {
    path,
    routes,
    maxConnections: limits.maxConnections,
    headTimeout: limits.firstMessageTimeout,
    handshakeTimeout: limits.handshakeTimeout,
    keepAliveTimeout: idle === undefined ? undefined : toMilliseconds(idle),
    // No browser can write the header of a proxy.
    allowsHost: asked => options['proxyProtocol'] !== undefined || isHostAllowed(asked, hosts),
    // The rules are for the clients of a trusted proxy, not for itself.
    admits: address => (address !== undefined && trusted?.(address) === true) || admission.refusal({ address }) === undefined,
  };
  const cors = options['cors'] === undefined ? undefined : new Cors(options['cors'] as CorsOptions, methodsOf(routes));
  const arrivalOf: ArrivalOf = (incoming, response) =>
    new RequestArrival(incoming, response, scheme, trusted && forwardedBy(incoming, trusted), { routes, cors });
  const request: VirtualPath['request'] = (incoming, response) => {
    const arrival = arrivalOf(incoming, response);
    if (isAnswered(arrival)) return;
    const now = acceptor.limits ?? limits;
    if (announcesTooMuch(incoming, now)) arrival.answer(413, bodyTooLarge(now).message);
    else acceptor.accept(arrival);
  };
  // The application sets this option where an application is mounted: users do not write it.
  const { mounted } = options;
  const member =
    mounted instanceof Mount
      ? await shareMount(target, acceptor, mounted, {
          site,
          limits,
          arrivalOf,
          isAnswered: cors && isAnswered,
          admits: trusted && (({ remote }) => admission.refusal(remote) === undefined),
        })
      : await share(target, acceptor.reactor ?? acceptor, { ...site, kind: 'request', request });
  const { host, port, leave } = member;
  joined.server = member.server;
  return { address: { url: webUrlOf(scheme, host, port, path), host, port, path: path ?? '/' }, close: leave };
}

function schemeOf(name: 'http' | 'https'): Scheme {
  return {
    name,
    proxied: true,
    serves: 'requests',
    carrier: socketUrlOf,
    shares: true,
    lastAnswers: lastAnswersOf,
    listen: (target, acceptor) => listen(name, target, acceptor),
    check: checkUrl,
  };
}

for (const name of ['http', 'https'] as const) {
  registerScheme(schemeOf(name));
  registerRequestScopes(name, (host, settings, arrival, origin) =>
    arrival instanceof MountArrival
      ? new MountScope(host, settings, arrival, origin)
      : // Their sites accept nothing else.
        new Exchange(host, settings, arrival as RequestArrival, origin),
  );
}
