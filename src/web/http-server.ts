import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { realClock } from '../clock.js';
import { deadline } from '../deadline.js';
import type { TlsOptions } from '../decorators/connection/endpoint-types.js';
import type { SocketSource } from '../endpoints/endpoint.js';
import { publish } from '../diagnostics.js';
import type { KeptSocket } from '../endpoints/passing/kept-sockets.js';
import { listenAt } from './listen-at.js';
import { listenError } from '../endpoints/system-errors.js';
import { socketOptions } from '../endpoints/net/tcp.js';
import { tlsServerOf } from '../endpoints/tls/tls-server.js';
import { LimitError, ListenError, ProxyProtocolError } from '../errors.js';
import { guard, guardEach, NO_VICTIM } from '../guard.js';
import { proxyRule } from '../reactor/listen/admission.js';
import { prepared } from './prepare-socket.js';
import { preflightMethodOf } from './headers/cors.js';
import { HttpConnection, type HttpConnectionHost } from './http-connection.js';
import { judgeAfterPoll } from './node-timeouts.js';
import { endEventStream } from './event-streams.js';
import { answer, answerAndClose } from './refuse.js';
import { ServedRequest } from './request/served-request.js';
import { normalizeTarget, pathOfTarget } from './request-target.js';
import { isSameAddress, isAmbiguous, virtualPathFor, type VirtualPath } from './site.js';
import { setImmediate } from '../system-timers.js';

/** Where a server listens, and how. What differs cannot share it. */
export interface Binding {
  /** As it was written, for messages. */
  readonly url: string;
  /** An address, not a name. */
  readonly address: string;
  /** 0: any. */
  readonly port: number;
  readonly tls: TlsOptions | undefined;
  readonly options: Readonly<Record<string, unknown>>;
  /** Source of sockets, where another process or listener has bound. */
  readonly source: SocketSource | undefined;
}

const BACKLOG = 1024;
/** The answer to a request whose target or Host cannot be used; no word of them is repeated. */
const BAD_TARGET = 'the request target or Host is not valid';
/** Answers requests that have such a target, in their turn. */
const INVALID_TARGET: VirtualPath = {
  kind: 'request',
  path: undefined,
  maxConnections: Infinity,
  headTimeout: Infinity,
  handshakeTimeout: Infinity,
  keepAliveTimeout: undefined,
  admits: () => true,
  request: (_request, response) => answer(response, 400, BAD_TARGET),
};
/** How often Node looks for heads that take too long, in milliseconds: a fifth of the limit, within these. */
const LOOK = { often: 50, seldom: 1_000 } as const;

/**
 * The one Node server of a host and port, with or without TLS: all endpoints there share it, each is a {@link VirtualPath} of it.
 * Parsing is Node's. It stops listening when its last site leaves; requests under way finish then, idle connections are closed at once.
 */
export class HttpServer implements HttpConnectionHost {
  readonly binding: Binding;
  readonly #server: Server;
  readonly #sites = new Set<VirtualPath>();
  /** Time limit of a request's head in milliseconds: that of the most patient site. Infinity: none. */
  headTimeout: number;
  /** Undefined: clients come by themselves. */
  readonly #isProxy: ReturnType<typeof proxyRule>;
  /** Open ones that speak HTTP, or nothing yet. */
  readonly #connections = new Map<Socket, HttpConnection>();
  readonly #serve: (socket: Socket) => void;
  readonly #bound: Promise<void>;
  #kept: KeptSocket | undefined;
  #lastAnswers = false;
  #onEmpty: (() => void) | undefined;
  #closed: Promise<void> | undefined;
  /** The site that every request is for, where there is only one. */
  #only: VirtualPath | undefined;

  /** Binds at once. */
  constructor(binding: Binding, first: VirtualPath) {
    this.binding = binding;
    // The blueprint has checked it.
    this.#isProxy = proxyRule(binding.options);
    const { headTimeout } = first;
    this.headTimeout = headTimeout;
    const interval = Math.min(LOOK.seldom, Math.max(LOOK.often, headTimeout / 5));
    this.#server = createServer({
      ...socketOptions(binding.options),
      IncomingMessage: ServedRequest,
      headersTimeout: Number.isFinite(headTimeout) ? headTimeout : 0,
      // The path's endpoint limits the time of a body.
      requestTimeout: first.requestTimeout ?? 0,
      connectionsCheckingInterval: interval,
      ...(first.keepAliveTimeout !== undefined && { keepAliveTimeout: first.keepAliveTimeout }),
    });
    judgeAfterPoll(this.#server, interval);
    // Node's own way to serve a socket; ours comes before it.
    const serve = this.#server.listeners('connection')[0] as (this: Server, socket: Socket) => void;
    this.#serve = serve.bind(this.#server);
    this.#server.removeAllListeners('connection');
    this.#server.on(
      'connection',
      guardEach(
        (socket: Socket) => socket,
        socket => this.#arrive(socket),
      ),
    );
    this.#server.on(
      'request',
      guardEach(
        (request: IncomingMessage, _response: ServerResponse) => request.socket,
        (request, response) => this.#take(request, response),
      ),
    );
    this.#sites.add(first);
    this.#sitesChanged();
    this.#bound = this.#bind();
    // Each endpoint that joined gets the rejection.
    this.#bound.catch(() => {});
  }

  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? this.binding.port;
  }

  get isClosed(): boolean {
    return this.#closed !== undefined;
  }

  /** Whether an endpoint's url means this server: by the port that was written, or by the one that was picked. */
  isAt({ address, port }: Binding): boolean {
    return !this.#closed && this.binding.address === address && (port === this.binding.port || port === this.port);
  }

  /** Whether no other endpoint here answers the same requests. */
  hasRoomFor(site: VirtualPath): boolean {
    return [...this.#sites].every(other => !isSameAddress(site, other));
  }

  /** Resolves with where it listens. Rejects with a ListenError. */
  async ready(): Promise<{ readonly host: string; readonly port: number }> {
    await this.#bound;
    const { address = this.binding.address } = (this.#server.address() as AddressInfo | null) ?? {};
    return { host: address, port: this.port };
  }

  /** The methods that the sites of a path have routes for. */
  methodsAt(sitePath: string | undefined, path: string): ReadonlySet<string> {
    const methods = new Set<string>();
    for (const { path: own, routes } of this.#sites) {
      if (own === sitePath) for (const method of routes?.router.methodsAt(path) ?? []) methods.add(method);
    }
    return methods;
  }

  add(site: VirtualPath, source?: SocketSource): void {
    this.#sites.add(site);
    source?.attach(this.#server);
    this.headTimeout = Math.max(this.headTimeout, site.headTimeout);
    this.#server.headersTimeout = Number.isFinite(this.headTimeout) ? this.headTimeout : 0;
    if (site.keepAliveTimeout !== undefined) this.#server.keepAliveTimeout = site.keepAliveTimeout;
    this.#sitesChanged();
  }

  /** The site answers no more. With the last one the address is free; resolves then. */
  remove(site: VirtualPath): Promise<void> {
    this.#sites.delete(site);
    this.#sitesChanged();
    site.onClosed?.();
    return this.#sites.size > 0 ? Promise.resolve() : this.#close();
  }

  /** Responses under way for a site. */
  *answersOf(site: VirtualPath): Generator<ServerResponse, void> {
    for (const connection of this.#connections.values()) yield* connection.answersOf(site);
  }

  /** Resolves when what is under way for a site that has left is through; event streams are ended. */
  async finished(site: VirtualPath): Promise<void> {
    const answers = [...this.answersOf(site)];
    for (const response of answers) endEventStream(response);
    await Promise.all(
      answers.map(
        response =>
          new Promise<void>(resolve =>
            response.once(
              'close',
              guard(response, () => resolve()),
            ),
          ),
      ),
    );
  }

  /** Cuts off what is under way for a site. */
  cutOff(site: VirtualPath): void {
    for (const { req } of [...this.answersOf(site)]) this.#connections.get(req.socket)?.destroy();
  }

  #sitesChanged(): void {
    const sites = [...this.#sites].filter(({ kind }) => kind === 'request');
    this.#only = sites.length === 1 && sites[0]!.path === undefined ? sites[0] : undefined;
    // Without endpoints for upgrades Node serves such requests as it would without that header.
    if (this.#server.listenerCount('upgrade') > 0 || sites.length === this.#sites.size) return;
    this.#server.on(
      'upgrade',
      guardEach(
        (_request: IncomingMessage, socket: Socket, _head: Buffer) => socket,
        (request, _socket, head) => this.#upgrade(request, head),
      ),
    );
  }

  async #bind(): Promise<void> {
    const { url, address, port, tls, options, source } = this.binding;
    const server = this.#server;
    try {
      if (tls) await tlsServerOf(tls).ready();
      if (source) {
        source.attach(server);
        // Node keeps the time of connections from here on.
        server.emit('listening');
        return;
      }
      this.#kept = await listenAt(server, address, port, (options['backlog'] as number | undefined) ?? BACKLOG);
    } catch (error) {
      this.#closed = Promise.resolve();
      throw error instanceof ListenError ? error : listenError(url, error);
    }
    server.on(
      'error',
      guard(NO_VICTIM, (error: Error) => publish('listener.error', { url, error })),
    );
    if (this.#closed) server.close();
  }

  #close(): Promise<void> {
    return (this.#closed ??= this.#bound.then(
      () => {
        this.#server.close();
        this.#kept?.release();
        for (const connection of this.#connections.values()) connection.finish();
        return new Promise(resolve => setImmediate(resolve));
      },
      () => {},
    ));
  }

  /** A socket was accepted. */
  #arrive(socket: Socket): void {
    const reason = this.#refusal(socket.remoteAddress);
    if (reason !== undefined) {
      socket.destroy();
      this.#rejected(reason, socket.remoteAddress);
      return;
    }
    this.#keep(socket);
    if (this.binding.tls || this.#isProxy) void this.#prepare(socket);
    else this.#serve(socket);
  }

  #keep(socket: Socket): void {
    this.#connections.set(socket, new HttpConnection(socket, this));
  }

  #rejected(reason: string, address: string | undefined, error?: unknown, why?: string): void {
    const { url } = this.binding;
    publish('listener.reject', { url, reason, why, remote: { url, address }, error });
  }

  #refusal(address: string | undefined): string | undefined {
    if (this.#closed) return 'closed';
    if (this.#isProxy ? !this.#isProxy({ address }) : !this.#admits(address)) return this.#isProxy ? 'proxyProtocol' : 'deny';
    const most = Math.max(...[...this.#sites].map(({ maxConnections }) => maxConnections));
    return this.#connections.size >= most ? 'maxConnections' : undefined;
  }

  /** Whether some endpoint here would answer a client at that address. */
  #admits(address: string | undefined): boolean {
    for (const site of this.#sites) if (site.admits(address)) return true;
    return false;
  }

  /** Within the time for handshakes of the most patient site, and the time for a head, like everything that comes before one. */
  async #prepare(plain: Socket): Promise<void> {
    const patience = Math.max(...[...this.#sites].map(({ handshakeTimeout }) => handshakeTimeout));
    const limit = Math.min(patience, this.headTimeout);
    const { remoteAddress } = plain;
    let late: LimitError | undefined;
    const expire = (): void => {
      if (limit === patience) late = new LimitError('handshakeTimeout', `no handshake within handshakeTimeout (${limit} ms)`);
      plain.destroy();
    };
    const timer = limit === Infinity ? undefined : deadline(realClock, limit, expire);
    try {
      const before = { tls: this.binding.tls, proxied: this.#isProxy !== undefined };
      const socket = await prepared(plain, before, address => {
        if (!this.#admits(address)) throw new LimitError('deny', 'refused: deny');
      });
      // An endpoint that has closed meanwhile does not report it any more.
      if (this.#closed || socket.destroyed) {
        socket.destroy();
        return;
      }
      if (socket !== plain) {
        this.#connections.delete(plain);
        this.#keep(socket);
      }
      this.#serve(socket);
    } catch (thrown) {
      plain.destroy();
      const error = late ?? thrown;
      const reason = error instanceof LimitError ? error.limit : error instanceof ProxyProtocolError ? 'proxyProtocol' : 'handshake';
      this.#rejected(reason, plain.remoteAddress ?? remoteAddress, error);
    } finally {
      timer?.cancel();
    }
  }

  /**
   * Another process accepts here from now on: the next answer on each connection is its last. Resolves when no connection is left; Node
   * closes those that ask for nothing more (`keepAliveTimeout`).
   */
  lastAnswers(): Promise<void> {
    this.#lastAnswers = true;
    if (this.#connections.size === 0) return Promise.resolve();
    return new Promise(resolve => (this.#onEmpty = resolve));
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    if (this.#lastAnswers) response.shouldKeepAlive = false;
    this.#connections.get(request.socket)!.take(request, response);
  }

  // ── HttpConnectionHost ──

  siteOf(request: IncomingMessage): VirtualPath | undefined {
    if (!this.#hasValidTarget(request, 'request')) return INVALID_TARGET;
    return this.#only ?? virtualPathFor(this.#sites, 'request', pathOfTarget(request), preflightMethodOf(request) ?? request.method);
  }

  onClosed(socket: Socket): void {
    this.#connections.delete(socket);
    if (this.#connections.size === 0) this.#onEmpty?.();
  }

  serve(request: IncomingMessage, response: ServerResponse, site: VirtualPath | undefined): void {
    if (!site) this.#unanswered(request, response);
    else if (site.allowsHost?.(request) === false)
      answer(response, 403, 'on the loopback, Host is an address, localhost, or one of `hosts`');
    else if (site === this.#only || site.admits(request.socket.remoteAddress)) site.request!(request, response);
    else answer(response, 403, 'not from your address');
  }

  // ── its own ──

  #hasValidTarget(request: IncomingMessage, kind: VirtualPath['kind']): boolean {
    return normalizeTarget(request) && (this.#only !== undefined || !isAmbiguous(this.#sites, kind, pathOfTarget(request), request.method));
  }

  #unanswered(request: IncomingMessage, response: ServerResponse): void {
    if (this.#sites.size === 0) answer(response, 503, 'closing');
    else if (!virtualPathFor(this.#sites, 'upgrade', pathOfTarget(request))) answer(response, 404, 'not found');
    else answer(response, 426, 'a websocket is spoken here', { Upgrade: 'websocket' });
  }

  /** A request for an upgrade has come in: Node has let go of the socket. It waits until those before it are answered. */
  #upgrade(request: IncomingMessage, head: Buffer): void {
    // Where the request has a body, Node 26 gives its listeners a stream around the socket.
    const { socket } = request;
    this.#connections.get(socket)!.whenAnswered(head, rest => this.#upgradeNow(request, socket, rest));
  }

  #upgradeNow(request: IncomingMessage, socket: Socket, head: Buffer): void {
    // Node listens to it no more. It stays: a write that has failed already may be told of when the socket has been given up.
    socket.on('error', () => {});
    const isValid = this.#hasValidTarget(request, 'upgrade');
    const site = isValid ? virtualPathFor(this.#sites, 'upgrade', pathOfTarget(request)) : undefined;
    // Its body would be taken for frames: Node does not read it.
    if (hasBody(request)) this.#refuse(socket, 400, 'body', 'a request for an upgrade has no body');
    else if (!isValid) this.#refuse(socket, 400, 'target', BAD_TARGET);
    else if (site) {
      this.#connections.delete(socket);
      site.upgrade!(request, socket, head);
    } else this.#refuse(socket, 404, 'path', 'no websocket is spoken here');
  }

  #refuse(socket: Socket, status: number, reason: string, why: string): void {
    this.#rejected(reason, socket.remoteAddress, undefined, why);
    answerAndClose(socket, status, why);
  }
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0;
}
