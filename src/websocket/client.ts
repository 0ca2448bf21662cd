import type { IncomingMessage } from 'node:http';
import type { Remote } from '../endpoints/endpoint.js';
import { forwardedBy } from '../web/request/forwarded.js';
import { clientRemote, listenPlaceOf } from '../web/web-url.js';

/** The client of a request for a websocket; behind a trusted proxy, as the proxy tells. */
export interface WebSocketClient {
  readonly remote: Remote;
  /** How the client asked, also where a proxy has ended TLS. */
  readonly scheme: 'ws' | 'wss';
  /** The host that the client asked for, with its port; '' where it named none. */
  readonly host: string;
}

/** Reads the client of a request for a websocket; the fields `X-Forwarded-…` count where `isTrusted` says so of the address that they came from. */
export function webSocketClientOf(
  request: IncomingMessage,
  own: 'ws' | 'wss',
  isTrusted: ((address: string) => boolean) | undefined,
): WebSocketClient {
  const { headers, socket } = request;
  const forwarded = isTrusted && forwardedBy(request, isTrusted);
  const scheme = forwarded?.secure === undefined ? own : forwarded.secure ? 'wss' : 'ws';
  const { address } = forwarded ?? {};
  const remote = address === undefined ? listenPlaceOf(own, socket.remoteAddress, socket.remotePort) : clientRemote(scheme, address);
  return { remote, scheme, host: forwarded?.host ?? headers.host ?? '' };
}
