import { createServer, ServerResponse, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { TlsOptions } from '../decorators/endpoint-types.js';
import type { SocketSource } from '../endpoints/endpoint.js';
import { publish } from '../diagnostics.js';
import { listenError } from '../endpoints/system-errors.js';
import { socketOptions } from '../endpoints/tcp.js';
import { tlsServerOf } from '../endpoints/tls-server.js';
import { LimitError, ListenError, ProxyProtocolError } from '../errors.js';
import { proxyRule } from '../reactor/admission.js';
import { prepared } from './doorstep.js';
import { refuse } from './refuse.js';
import { collides, pathOf, siteFor, type Site } from './site.js';

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
  /** Somebody else has bound: sockets come from there. */
  readonly source: SocketSource | undefined;
}

const BACKLOG = 1024;
/** How often Node looks for heads that take too long, in milliseconds: a fifth of the limit, within these. */
const LOOK = { often: 50, seldom: 1_000 } as const;

/** The response under way on a socket, and whose it is: properties, so that a request costs no entry anywhere. */
const CURRENT = Symbol('current response');
const SITE = Symbol('site');
interface Known extends Socket {
  [CURRENT]?: ServerResponse;
  [SITE]?: Site | undefined;
}

function isBusy({ [CURRENT]: current }: Known): boolean {
  return current !== undefined && !current.closed && !current.writableFinished;
}

/**
 * The one Node server of a host and port, with or without TLS: all endpoints there share it, each is a {@link Site} of it.
 * Parsing is Node's. It stops listening when its last site leaves; requests under way finish then, idle connections are closed at once.
 */
export class HostServer {
  readonly binding: Binding;
  readonly #server: Server;
  readonly #sites = new Set<Site>();
  /** Undefined: clients come by themselves. */
  readonly #isProxy: ReturnType<typeof proxyRule>;
  /** Open ones that speak HTTP, or nothing yet. */
  readonly #sockets = new Set<Known>();
  readonly #serve: (socket: Socket) => void;
  readonly #bound: Promise<void>;
  #closed: Promise<void> | undefined;
  /** The site that every request is for, where there is only one. */
  #only: Site | undefined;

  /** Binds at once. */
  constructor(binding: Binding, first: Site) {
    this.binding = binding;
    // The blueprint has checked it.
    this.#isProxy = proxyRule(binding.options);
    const { headTimeout } = first;
    const interval = Math.min(LOOK.seldom, Math.max(LOOK.often, headTimeout / 5));
    this.#server = createServer({
      ...socketOptions(binding.options),
      headersTimeout: Number.isFinite(headTimeout) ? headTimeout : 0,
      // Of the body its site takes care.
      requestTimeout: first.requestTimeout ?? 0,
      connectionsCheckingInterval: interval,
      ...(first.keepAliveTimeout !== undefined && { keepAliveTimeout: first.keepAliveTimeout }),
    });
    // Node's own way to serve a socket; ours comes before it.
    const serve = this.#server.listeners('connection')[0] as (this: Server, socket: Socket) => void;
    this.#serve = serve.bind(this.#server);
    this.#server.removeAllListeners('connection');
    this.#server.on('connection', (socket: Socket) => this.#arrive(socket));
    this.#server.on('request', this.#request);
    this.#sites.add(first);
    this.#sitesChanged();
    this.#bound = this.#bind();
    // Whoever joined hears of it.
    this.#bound.catch(() => {});
  }

  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? this.binding.port;
  }

  get isClosed(): boolean {
    return this.#closed !== undefined;
  }

  /** It may be asked for by the port that was written, or by the one that was picked. */
  isAt({ address, port }: Binding): boolean {
    return !this.#closed && this.binding.address === address && (port === this.binding.port || port === this.port);
  }

  /** Nobody answers what this one would. */
  hasRoomFor(site: Site): boolean {
    return [...this.#sites].every(other => !collides(site, other));
  }

  /** Resolves with where it listens. Rejects with a ListenError. */
  async ready(): Promise<{ readonly host: string; readonly port: number }> {
    await this.#bound;
    const { address = this.binding.address } = (this.#server.address() as AddressInfo | null) ?? {};
    return { host: address, port: this.port };
  }

  add(site: Site, source?: SocketSource): void {
    this.#sites.add(site);
    source?.attach(this.#server);
    const { headersTimeout } = this.#server;
    const timeout = Math.max(headersTimeout === 0 ? Infinity : headersTimeout, site.headTimeout);
    this.#server.headersTimeout = Number.isFinite(timeout) ? timeout : 0;
    if (site.keepAliveTimeout !== undefined) this.#server.keepAliveTimeout = site.keepAliveTimeout;
    this.#sitesChanged();
  }

  /** The site answers no more. With the last one the address is free; resolves then. */
  remove(site: Site): Promise<void> {
    this.#sites.delete(site);
    this.#sitesChanged();
    return this.#sites.size > 0 ? Promise.resolve() : this.#close();
  }

  /** Resolves when what is under way for a site that has left is through. */
  async finished(site: Site): Promise<void> {
    await Promise.all([...this.#busyWith(site)].map(socket => new Promise(resolve => socket[CURRENT]!.once('close', resolve))));
  }

  /** Cuts off what is under way for a site. */
  cutOff(site: Site): void {
    for (const socket of this.#busyWith(site)) socket.destroy();
  }

  *#busyWith(site: Site): Iterable<Known> {
    for (const socket of this.#sockets) if (socket[SITE] === site && isBusy(socket)) yield socket;
  }

  #sitesChanged(): void {
    const sites = [...this.#sites].filter(({ kind }) => kind === 'request');
    this.#only = sites.length === 1 && sites[0]!.path === undefined ? sites[0] : undefined;
    // Only where somebody upgrades: otherwise Node serves such requests as it would without that header.
    if (this.#server.listenerCount('upgrade') > 0 || sites.length === this.#sites.size) return;
    this.#server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => this.#upgrade(request, socket, head));
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
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen({ host: address, port, backlog: (options['backlog'] as number | undefined) ?? BACKLOG }, () => {
          server.off('error', reject);
          resolve();
        });
      });
    } catch (error) {
      this.#closed = Promise.resolve();
      throw error instanceof ListenError ? error : listenError(url, error);
    }
    server.on('error', error => publish('listener.error', { url, error }));
    if (this.#closed) server.close();
  }

  #close(): Promise<void> {
    return (this.#closed ??= this.#bound.then(
      () => {
        this.#server.close();
        for (const socket of this.#sockets) this.#lastOf(socket);
        return new Promise(resolve => setImmediate(resolve));
      },
      () => {},
    ));
  }

  /** What is under way on a socket is its last. */
  #lastOf(socket: Known): void {
    const response = socket[CURRENT];
    if (!response || !isBusy(socket)) {
      socket.destroy();
      return;
    }
    if (!response.headersSent) response.shouldKeepAlive = false;
    response.once('close', () => socket.destroySoon());
  }

  /** A socket was accepted. */
  #arrive(socket: Known): void {
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

  #keep(socket: Known): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  #rejected(reason: string, address: string | undefined, error?: unknown): void {
    const { url } = this.binding;
    publish('listener.reject', { url, reason, remote: { url, address }, error });
  }

  #refusal(address: string | undefined): string | undefined {
    if (this.#closed) return 'closed';
    if (this.#isProxy ? !this.#isProxy({ address }) : !this.#admits(address)) return this.#isProxy ? 'proxyProtocol' : 'deny';
    const most = Math.max(...[...this.#sites].map(({ maxConnections }) => maxConnections));
    return this.#sockets.size >= most ? 'maxConnections' : undefined;
  }

  /** Somebody here would answer whoever is at that address. */
  #admits(address: string | undefined): boolean {
    for (const site of this.#sites) if (site.admits(address)) return true;
    return false;
  }

  /** Within the time for handshakes of the most patient site, and the time for a head, like everything that comes before one. */
  async #prepare(plain: Known): Promise<void> {
    const patience = Math.max(...[...this.#sites].map(({ handshakeTimeout }) => handshakeTimeout));
    const limit = Math.min(patience, this.#server.headersTimeout || Infinity);
    const { remoteAddress } = plain;
    let late: LimitError | undefined;
    const expire = (): void => {
      if (limit === patience) late = new LimitError('handshakeTimeout', `no handshake within handshakeTimeout (${limit} ms)`);
      plain.destroy();
    };
    const timer = limit === Infinity ? undefined : setTimeout(expire, limit).unref();
    try {
      const before = { tls: this.binding.tls, proxied: this.#isProxy !== undefined };
      const socket = await prepared(plain, before, address => {
        if (!this.#admits(address)) throw new LimitError('deny', 'refused: deny');
      });
      if (this.#closed) {
        socket.destroy();
        return;
      }
      if (socket !== plain) {
        this.#sockets.delete(plain);
        this.#keep(socket);
      }
      this.#serve(socket);
    } catch (thrown) {
      plain.destroy();
      const error = late ?? thrown;
      const reason = error instanceof LimitError ? error.limit : error instanceof ProxyProtocolError ? 'proxyProtocol' : 'handshake';
      this.#rejected(reason, plain.remoteAddress ?? remoteAddress, error);
    } finally {
      clearTimeout(timer);
    }
  }

  readonly #request = (request: IncomingMessage, response: ServerResponse): void => {
    const socket = request.socket as Known;
    const site = this.#only ?? siteFor(this.#sites, 'request', pathOf(request));
    socket[CURRENT] = response;
    socket[SITE] = site;
    if (!site) this.#unanswered(request, response);
    else if (site === this.#only || site.admits(socket.remoteAddress)) site.request!(request, response);
    else this.#answer(response, 403, 'not from your address');
  };

  #unanswered(request: IncomingMessage, response: ServerResponse): void {
    if (this.#sites.size === 0) this.#answer(response, 503, 'closing');
    else if (!siteFor(this.#sites, 'upgrade', pathOf(request))) this.#answer(response, 404, 'not found');
    else this.#answer(response, 426, 'a websocket is spoken here', { Upgrade: 'websocket' });
  }

  #answer(response: ServerResponse, status: number, text: string, headers: Readonly<Record<string, string>> = {}): void {
    response.shouldKeepAlive = false;
    response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', ...headers }).end(text);
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    // Node listens to it no more.
    const ignore = (): void => {};
    socket.on('error', ignore);
    const wantsWebSocket = request.headers.upgrade?.toLowerCase() === 'websocket';
    const site = wantsWebSocket ? siteFor(this.#sites, 'upgrade', pathOf(request)) : undefined;
    if (site) {
      this.#sockets.delete(socket);
      site.upgrade!(request, socket, head);
      socket.off('error', ignore);
    } else if (wantsWebSocket) {
      refuse(socket, 404, 'no websocket is spoken here');
    } else if (request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined) {
      refuse(socket, 400, 'nothing but a websocket can be upgraded to');
    } else {
      this.#ordinary(request, socket);
    }
  }

  /** The client would rather speak something else, h2c for instance, and HTTP will do. */
  #ordinary(request: IncomingMessage, socket: Socket): void {
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket);
    // The answer is over with its socket: only that closes a response which Node did not make.
    response.once('finish', () => socket.destroySoon());
    this.#request(request, response);
  }
}
