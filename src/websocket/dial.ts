import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { onAbort } from '../abort-listeners.js';
import { failing, guard } from '../guard.js';
import { realClock } from '../clock.js';
import { deadline } from '../deadline.js';
import type { TlsOptions } from '../decorators/connection/endpoint-types.js';
import type { EndpointTarget } from '../endpoints/endpoint.js';
import { dialSocket } from '../endpoints/net/net-dial.js';
import { SocketTransport } from '../endpoints/net/socket-transport.js';
import { aborted, connectError } from '../endpoints/system-errors.js';
import { placesOf, socketOptions } from '../endpoints/net/tcp.js';
import { asError, ConnectError } from '../errors.js';
import { webUrl, webUrlOf } from '../web/web-url.js';
import { FrameSocket } from './frame-socket.js';
import { frameOptionsOf, limitsOf, webSocketSettingsOf } from './frame-options.js';
import { WebSocketTransport, type WebSocketSettings } from './transport.js';

const PLACES = placesOf('tcp');

/** A websocket that we have opened. */
class DialedWebSocket extends WebSocketTransport {
  readonly #opened: FrameSocket;

  constructor(opened: FrameSocket, socket: Socket, settings: WebSocketSettings, url: string, headers: Headers) {
    super(socket, settings, { url, headers, protocol: opened.protocol || undefined }, false);
    this.#opened = opened;
  }

  protected upgrade(): FrameSocket | undefined {
    if (this.#opened.readyState !== FrameSocket.OPEN) return undefined;
    this.#opened.resume();
    return this.#opened;
  }

  protected refuse(): void {
    this.#opened.terminate();
  }
}

/** A connected socket, with TLS for wss:. Throws ConnectError. */
async function socketTo(target: EndpointTarget, signal: AbortSignal): Promise<Socket> {
  const { url, options } = target;
  // The blueprint has checked the url.
  const { scheme, host, port } = webUrl(url)!;
  const where = { host, port, ...socketOptions(options) };
  let transport: SocketTransport | undefined;
  await dialSocket(url, where, signal, socket => (transport = new SocketTransport(socket, PLACES)));
  // Made before the dial resolved.
  const dialed = transport!;
  if (scheme === 'ws') return dialed.raw;
  const giveUp = (): void => dialed.destroy();
  const forget = onAbort(signal, giveUp);
  try {
    await dialed.startTls({ tls: (options['tls'] as TlsOptions | undefined) ?? {}, isServer: false, host });
    return dialed.raw;
  } catch (error) {
    if (signal.aborted) throw aborted(url, signal);
    throw new ConnectError(url, 'tls', asError(error).message, { cause: error });
  } finally {
    forget();
  }
}

function headersOf({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) headers.append(rawHeaders[i]!, rawHeaders[i + 1]!);
  return headers;
}

/** Dials and opens a websocket. Throws ConnectError. */
export async function dialWebSocket(
  scheme: WebSocketSettings['scheme'],
  target: EndpointTarget,
  signal: AbortSignal,
): Promise<WebSocketTransport> {
  const { host, port, path = '/', query } = webUrl(target.url)!;
  const url = webUrlOf(scheme, host, port, path + query);
  const settings = webSocketSettingsOf(scheme, target);
  const limits = limitsOf(target, 'connect');
  const { handshakeTimeout } = limits;
  const socket = await socketTo(target, signal);
  return new Promise((resolve, reject) => {
    // TLS is there already: to `ws` it is a socket like any other.
    const ws = new FrameSocket(`ws${url.slice(scheme.length)}`, [...((target.options['protocols'] as string[] | undefined) ?? [])], {
      ...frameOptionsOf(limits, settings),
      createConnection: () => socket,
    });
    let headers = new Headers();
    const settle = (): void => {
      timer?.cancel();
      forget();
      ws.off('error', failed);
    };
    const fail = (error: ConnectError): void => {
      settle();
      // The abandoned socket may still emit errors.
      ws.on('error', () => {});
      reject(error);
      ws.terminate();
      socket.destroy();
    };
    const victim = failing(error => fail(connectError(target.url, error)));
    const failed = guard(victim, (error: Error) => fail(connectError(target.url, error)));
    const late = (): void => fail(new ConnectError(target.url, 'timeout', `no websocket within handshakeTimeout (${handshakeTimeout} ms)`));
    const timer = Number.isFinite(handshakeTimeout) ? deadline(realClock, handshakeTimeout, late, true) : undefined;
    const giveUp = (): void => fail(aborted(target.url, signal));
    const forget = onAbort(signal, giveUp);
    ws.on('error', failed);
    ws.on(
      'unexpected-response',
      guard(victim, (_request: ClientRequest, { statusCode, statusMessage }: IncomingMessage) => {
        fail(new ConnectError(target.url, 'refused', `it answers ${statusCode} ${statusMessage ?? ''}`));
      }),
    );
    ws.on(
      'upgrade',
      guard(victim, (answer: IncomingMessage) => void (headers = headersOf(answer))),
    );
    ws.once(
      'open',
      guard(victim, () => {
        settle();
        // The websocket has no listener yet.
        ws.pause();
        resolve(new DialedWebSocket(ws, socket, settings, url, headers));
      }),
    );
    if (signal.aborted) giveUp();
  });
}
