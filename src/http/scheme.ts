import { registerScheme, type Acceptor, type Bound, type EndpointTarget, type Scheme } from '../endpoints/endpoint.js';
import { raw } from '../framing/raw.js';
import { Admission } from '../reactor/admission.js';
import { registerGuests } from '../reactor/guest.js';
import { resolveLimits } from '../reactor/limits.js';
import { toMilliseconds, type Duration, type Off } from '../units.js';
import { RequestArrival } from './arrival.js';
import { checkUrl } from './check-url.js';
import { Exchange } from './exchange.js';
import { announcesTooMuch, tooLarge } from './incoming.js';
import { webUrl, webUrlOf } from './place.js';
import { share } from './shared-server.js';
import type { Site } from './site.js';

/** What every site of requests has in common, by the options of its endpoint. */
export function siteLimits({ url, options }: EndpointTarget): Omit<Site, 'kind' | 'request'> & { readonly maxMessageSize: number } {
  const limits = resolveLimits(options, raw(), 'http', 'listen');
  const admission = new Admission(limits, options);
  const idle = options['idleTimeout'] as Duration | Off | undefined;
  return {
    path: webUrl(url)!.path,
    maxConnections: limits.maxConnections,
    headTimeout: limits.firstMessageTimeout,
    keepAliveTimeout: idle === undefined ? undefined : toMilliseconds(idle),
    maxMessageSize: limits.maxMessageSize,
    admits: address => admission.refusal({ url: '', address }) === undefined,
  };
}

async function listen(scheme: 'http' | 'https', target: EndpointTarget, acceptor: Acceptor): Promise<Bound> {
  const limits = siteLimits(target);
  const site: Site = {
    ...limits,
    kind: 'request',
    request: (request, response) => {
      const arrival = new RequestArrival(request, response, scheme);
      if (announcesTooMuch(request, limits)) arrival.answer(413, tooLarge(limits).message);
      else acceptor.accept(arrival);
    },
  };
  const { host, port, leave } = await share(target, acceptor.reactor ?? acceptor, site);
  return { address: { url: webUrlOf(scheme, host, port, site.path), host, port, path: site.path ?? '/' }, close: leave };
}

function schemeOf(name: 'http' | 'https'): Scheme {
  return { name, serves: 'requests', listen: (target, acceptor) => listen(name, target, acceptor), check: checkUrl };
}

for (const name of ['http', 'https'] as const) {
  registerScheme(schemeOf(name));
  // Their sites accept nothing else.
  registerGuests(name, (host, settings, arrival, origin) => new Exchange(host, settings, arrival as RequestArrival, origin));
}
