import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { guard } from '../guard.js';
import type { Clock } from '../clock.js';
import { deadline } from '../deadline.js';
import type { Arrival, PeerTls, Remote } from '../endpoints/endpoint.js';
import { peerTlsOf } from '../endpoints/tls/tls-handshake.js';
import { LimitError } from '../errors.js';
import { connectionOn } from '../web/http-connection.js';
import type { Forwarded } from '../web/request/forwarded.js';
import { clientRemote, listenPlaceOf } from '../web/web-url.js';
import type { Cors } from '../web/headers/cors.js';
import type { SiteRoutes } from '../web/site.js';
import { clearTimeout, setTimeout } from '../system-timers.js';

/** Facts of TLS sockets, read once. */
const KNOWN = new WeakMap<TLSSocket, PeerTls>();

/** Where the other ends of sockets are, once. */
const REMOTES = new WeakMap<Socket, Remote>();

function remoteOf(socket: Socket, scheme: 'http' | 'https'): Remote {
  let remote = REMOTES.get(socket);
  if (!remote) REMOTES.set(socket, (remote = listenPlaceOf(scheme, socket.remoteAddress, socket.remotePort)));
  return remote;
}

/** Milliseconds for which a client may go on sending a body that is not read. */
const LINGER = 1_000;

/**
 * A socket that is closed while its client still sends is reset, and the client may never read the answer. So Node, when it is through
 * with the answer, finishes our direction only; the rest follows when the client has, or has had its time.
 */
function lingerOn(socket: Socket): void {
  socket.destroySoon = () => {
    const timer = setTimeout(() => socket.destroy(), LINGER).unref();
    socket.once(
      'close',
      guard(socket, () => clearTimeout(timer)),
    );
    socket.end();
    socket.resume();
  };
}

const ignore = (): void => {};

/** The endpoint that a request came in at. */
interface At {
  readonly routes: SiteRoutes | undefined;
  readonly cors: Cors | undefined;
}

/** One request that has come in, and its answer. */
export class RequestArrival implements Arrival {
  readonly kind = 'request';
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly secure: boolean;
  readonly remote: Remote;
  /** The host that the client asked a trusted proxy for. */
  readonly host: string | undefined;
  /** The routes of the endpoint that it came in at; undefined: it has none. */
  readonly routes: SiteRoutes | undefined;
  /** That endpoint's option `cors`. */
  readonly cors: Cors | undefined;
  /** The address that a trusted proxy tells of. */
  readonly #client: string | undefined;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    scheme: 'http' | 'https',
    forwarded: Forwarded | undefined,
    { routes, cors }: At,
  ) {
    this.request = request;
    this.response = response;
    this.secure = forwarded?.secure ?? scheme === 'https';
    this.host = forwarded?.host;
    this.routes = routes;
    this.cors = cors;
    // A client that leaves in the middle of a write is told of by 'close'.
    response.on('error', ignore);
    const { address } = forwarded ?? {};
    this.#client = address;
    // Asked at once: a socket that the client has reset knows it no more.
    this.remote = address === undefined ? remoteOf(request.socket, scheme) : clientRemote(this.secure ? 'https' : 'http', address);
  }

  get raw(): Socket {
    return this.request.socket;
  }

  /**
   * The caller that its calls to workers count for: the connection, so that a client gains nothing by more requests on it; for a request
   * that a trusted proxy passes on, the client, whichever of the proxy's connections it comes on.
   */
  get caller(): string | undefined {
    return this.#client ?? connectionOn(this.raw)?.id;
  }

  get tls(): PeerTls | undefined {
    const { socket } = this.request;
    if (!(socket instanceof TLSSocket)) return undefined;
    let known = KNOWN.get(socket);
    if (!known) KNOWN.set(socket, (known = peerTlsOf(socket, true)));
    return known;
  }

  /** Answers with a status and a line, and reads no more from this client. */
  answer(status: number, text: string): void {
    const { response } = this;
    if (response.headersSent) {
      response.destroy();
      return;
    }
    this.isLast();
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'content-length': Buffer.byteLength(text) });
    response.end(text);
  }

  /** Nothing more is wanted of this client once it is answered; what it still sends is thrown away, for a while. */
  isLast(): void {
    const { request, response } = this;
    response.shouldKeepAlive = false;
    if (request.complete) return;
    request.resume();
    lingerOn(request.socket);
  }

  /**
   * The request is answered, and the rest of its body is not read. A client that has not sent that after `patience` ms has its
   * connection closed: a further request could never follow.
   */
  onAnswered(clock: Clock, patience: number): void {
    const { request } = this;
    const { socket } = request;
    if (request.complete || socket.destroyed || patience === Infinity) return;
    const timer = deadline(clock, patience, () => {
      // Its 'end' says less: the received bytes need not have been read.
      if (!request.complete) socket.destroy();
    });
    // The request's own 'close': a socket has many requests.
    request.once(
      'close',
      guard(socket, () => timer.cancel()),
    );
  }

  /** Closes a request that was not admitted, or that no handler could be made for. */
  destroy(error?: Error): void {
    if (!(error instanceof LimitError)) this.answer(500, '');
    else if (error.limit === 'allow' || error.limit === 'deny') this.answer(403, 'not from your address');
    else this.answer(503, 'no room for another request');
  }
}
