import { WebSocketServer } from 'ws';
import type { TlsOptions } from '../decorators/endpoint-types.js';
import { registerScheme, type Acceptor, type Bound, type EndpointTarget, type Scheme } from '../endpoints/endpoint.js';
import { flawOf } from '../endpoints/tls-credentials.js';
import { checkWebUrl, webUrl, webUrlOf } from '../http/place.js';
import { refuse } from '../http/refuse.js';
import { share } from '../http/shared-server.js';
import type { Site } from '../http/site.js';
import { Admission } from '../reactor/admission.js';
import { AcceptedWebSocket } from './accepted.js';
import { dialWebSocket } from './dial.js';
import { FrameSocket } from './frame-socket.js';
import { frameOptionsOf, limitsOf, mannerOf } from './frame-options.js';
import { agreed, refusalOf, type DoorRules } from './opening.js';
import type { Manner } from './transport.js';

function rulesOf({ options }: EndpointTarget): DoorRules {
  const { origins = [], hosts = [], protocols } = options as Partial<DoorRules>;
  return { origins, hosts, protocols };
}

/** What a websocket endpoint contributes to the server of its host and port. */
function siteOf(target: EndpointTarget, manner: Manner, acceptor: Acceptor): Site {
  const limits = limitsOf(target, 'listen');
  const rules = rulesOf(target);
  const { protocols } = rules;
  const admission = new Admission(limits, target.options);
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    WebSocket: FrameSocket,
    handleProtocols: offers => agreed(protocols, offers) ?? false,
    ...frameOptionsOf(limits, manner),
  });
  return {
    kind: 'upgrade',
    path: webUrl(target.url)!.path,
    maxConnections: limits.maxConnections,
    headTimeout: limits.handshakeTimeout,
    keepAliveTimeout: undefined,
    admits: address => admission.refusal({ url: '', address }) === undefined,
    upgrade: (request, socket, head) => {
      const refusal = refusalOf(request, rules);
      if (refusal) refuse(socket, refusal.status, refusal.why, refusal.headers);
      else acceptor.accept(new AcceptedWebSocket(server, request, socket, head, manner, protocols));
    },
  };
}

async function listen(scheme: Manner['scheme'], target: EndpointTarget, acceptor: Acceptor): Promise<Bound> {
  const site = siteOf(target, mannerOf(scheme, target), acceptor);
  const { host, port, leave } = await share(target, acceptor.reactor ?? acceptor, site);
  return { address: { url: webUrlOf(scheme, host, port, site.path), host, port, path: site.path ?? '/' }, close: leave };
}

function check(target: EndpointTarget, use: 'listen' | 'connect'): string | undefined {
  const { url, options } = target;
  const wrong = checkWebUrl(url, use);
  if (wrong !== undefined || !/^wss:/i.test(url)) return wrong;
  const tls = (options['tls'] as TlsOptions | undefined) ?? {};
  if (use === 'listen' && tls.cert === undefined && tls.key === undefined && tls.sni === undefined)
    return 'it has no certificate: write tls: { cert, key } beside the url';
  const flaw = flawOf(tls);
  return flaw === undefined ? undefined : `its certificate cannot be used: ${flaw}`;
}

function schemeOf(name: Manner['scheme']): Scheme {
  return {
    name,
    listen: (target, acceptor) => listen(name, target, acceptor),
    connect: (target, signal) => dialWebSocket(name, target, signal),
    check,
  };
}

registerScheme(schemeOf('ws'));
registerScheme(schemeOf('wss'));
