import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import type { AuthorizeOpening } from '../decorators/connection/endpoint-types.js';
import { registerScheme, type Acceptor, type Bound, type EndpointTarget, type Remote, type Scheme } from '../endpoints/endpoint.js';
import { publish } from '../diagnostics.js';
import { checkUrl } from '../web/check-url.js';
import { socketUrlOf, sitePathOf, webUrlOf } from '../web/web-url.js';
import { answerAndClose } from '../web/refuse.js';
import { share } from '../web/shared-server.js';
import type { VirtualPath } from '../web/site.js';
import { Admission } from '../reactor/listen/admission.js';
import { trustedProxies } from '../web/request/forwarded.js';
import { AcceptedWebSocket } from './accepted.js';
import { AuthorizationGate } from './authorize.js';
import { webSocketClientOf, type WebSocketClient } from './client.js';
import { dialWebSocket } from './dial.js';
import { FrameSocket } from './frame-socket.js';
import { frameOptionsOf, limitsOf, webSocketSettingsOf } from './frame-options.js';
import { agreed, openingRefusal, type OpeningRules } from './opening.js';
import type { WebSocketSettings } from './transport.js';

function rulesOf({ options }: EndpointTarget): OpeningRules {
  const { origins = [], hosts = [], protocols } = options as Partial<OpeningRules>;
  return { origins, hosts, protocols };
}

/** The part of a websocket endpoint in the server of its host and port. */
function siteOf(target: EndpointTarget, settings: WebSocketSettings, acceptor: Acceptor): VirtualPath {
  const limits = limitsOf(target, 'listen');
  const rules = rulesOf(target);
  const { protocols } = rules;
  const admission = new Admission(limits, target.options);
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    WebSocket: FrameSocket,
    handleProtocols: offers => agreed(protocols, offers) ?? false,
    ...frameOptionsOf(limits, settings),
  });
  const authorize = target.options['authorize'] as AuthorizeOpening | undefined;
  const onRefused = (reason: string, why: string, remote: Remote): void => {
    publish('listener.reject', { url: target.url, reason, why, remote });
  };
  const gate = authorize && new AuthorizationGate(authorize, limits, { onError: error => acceptor.failed(error), onRefused });
  const isTrusted = trustedProxies(target.options);
  const admit = (request: IncomingMessage, socket: Socket, head: Buffer, client: WebSocketClient): void => {
    acceptor.accept(new AcceptedWebSocket(server, request, socket, head, settings, protocols, client));
  };
  return {
    kind: 'upgrade',
    path: sitePathOf(target.url),
    maxConnections: limits.maxConnections,
    headTimeout: limits.handshakeTimeout,
    handshakeTimeout: limits.handshakeTimeout,
    keepAliveTimeout: undefined,
    // The rules are for the clients of a trusted proxy, not for itself.
    admits: address => (address !== undefined && isTrusted?.(address) === true) || admission.refusal({ address }) === undefined,
    upgrade: (request, socket, head) => {
      const client = webSocketClientOf(request, settings.scheme, isTrusted);
      const refusal = openingRefusal(request, rules, client.host);
      // As it is now: it may have been changed.
      Object.assign(server.options, frameOptionsOf(acceptor.limits ?? limits, settings));
      if (refusal) {
        const { status, reason, why, headers } = refusal;
        onRefused(reason, why, client.remote);
        answerAndClose(socket, status, why, headers);
      } else if (gate) void gate.ask(request, socket, client, () => admit(request, socket, head, client));
      else admit(request, socket, head, client);
    },
    onClosed: () => gate?.close(),
  };
}

async function listen(scheme: WebSocketSettings['scheme'], target: EndpointTarget, acceptor: Acceptor): Promise<Bound> {
  const site = siteOf(target, webSocketSettingsOf(scheme, target), acceptor);
  const { host, port, leave } = await share(target, acceptor.reactor ?? acceptor, site);
  return { address: { url: webUrlOf(scheme, host, port, site.path), host, port, path: site.path ?? '/' }, close: leave };
}

function schemeOf(name: WebSocketSettings['scheme']): Scheme {
  return {
    name,
    proxied: true,
    carrier: socketUrlOf,
    shares: true,
    listen: (target, acceptor) => listen(name, target, acceptor),
    connect: (target, signal) => dialWebSocket(name, target, signal),
    check: checkUrl,
  };
}

registerScheme(schemeOf('ws'));
registerScheme(schemeOf('wss'));
