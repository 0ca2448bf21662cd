import type { Socket } from 'node:net';
import type { SecureContext, Server, TLSSocket } from 'node:tls';
import { callbackify } from 'node:util';
import { guardEach } from '../../guard.js';
import type { TlsOptions } from '../../decorators/connection/endpoint-types.js';
import { asError, TlsError } from '../../errors.js';
import { MAX_DELAY } from '../../units.js';
import { Credentials, credentialsOf, type TlsMaterial } from './tls-credentials.js';
import { socketBeneath } from '../../node-internals.js';
import { nodeCrypto, nodeTls } from '../node-modules.js';

/** How a handshake ends: one of them is called, once. */
export interface HandshakeOutcome {
  onSecured(socket: TLSSocket): void;
  onFailed(error: Error): void;
}

/**
 * Where clients show certificates, no session is resumed: it would be as trusted as it was under another name with other authorities, and
 * under TLS 1.3 Node takes one without any certificate for trusted.
 */
const alwaysAnew = (): number => {
  const { SSL_OP_NO_RENEGOTIATION, SSL_OP_NO_TICKET } = nodeCrypto().constants;
  return SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET;
};

/**
 * Makes a plain socket emit 'end' if the peer's FIN has been read and nothing else: it is about to be taken over by TLS, which would wait
 * for bytes that never come. Node emits 'end' of a paused socket only when it is read.
 */
export function noticeEnd(plain: Socket): void {
  if (plain.readableLength === 0) plain.read();
}

/** Handshakes under way, by the socket beneath. */
const SHAKING = new WeakMap<Socket, HandshakeOutcome>();

function take(socket: TLSSocket): HandshakeOutcome | undefined {
  const beneath = socketBeneath(socket);
  if (!beneath) return undefined;
  const outcome = SHAKING.get(beneath);
  SHAKING.delete(beneath);
  return outcome;
}

function secured(socket: TLSSocket): void {
  const outcome = take(socket);
  if (outcome) outcome.onSecured(socket);
  else socket.destroy();
}

function failed(error: Error, socket: TLSSocket): void {
  // A client whose certificate is refused is hung up on: why, only the socket knows.
  const { authorizationError: refused } = socket as { readonly authorizationError?: unknown };
  const why = refused ? new Error(`the client's certificate is refused (${String(refused)})`, { cause: error }) : error;
  take(socket)?.onFailed(why);
}

/** Options for a server name, or for `*.example.com` where one label is in the star's place. Case does not count. */
function written(sni: Readonly<Record<string, TlsOptions>>, name: string): TlsOptions | undefined {
  const byName = new Map(Object.entries(sni).map(([key, options]) => [key.toLowerCase(), options]));
  return byName.get(name) ?? byName.get(name.replace(/^[^.]+/, '*'));
}

/** The serving side of one TLS configuration: its certificate for each name, its authorities, its protocols. It never listens itself. */
export class TlsServer {
  readonly #options: TlsOptions;
  readonly #credentials: Credentials;
  /** Credentials of other names, by the options that were given for them. */
  readonly #others = new WeakMap<TlsOptions, Credentials>();
  /** Node's, made for #material. */
  #server: Server | undefined;
  #material: TlsMaterial | undefined;

  constructor(options: TlsOptions) {
    this.#options = options;
    this.#credentials = credentialsOf(options);
  }

  /** @throws TlsError when a certificate cannot be used, and never could: the default one, or that of a name in `sni`. */
  async ready(): Promise<void> {
    await this.#current();
    const { sni } = this.#options;
    if (typeof sni !== 'object') return;
    for (const [name, options] of Object.entries(sni)) {
      try {
        await this.#credentialsFor(options).current();
      } catch (cause) {
        throw new TlsError(`sni '${name}': ${asError(cause).message}`, { cause });
      }
    }
  }

  /** Reads certificates again: the default one, and those of names that were written down. Throws TlsError; then nothing has changed. */
  async reload(): Promise<void> {
    const { sni } = this.#options;
    const others = typeof sni === 'object' ? Object.values(sni).map(options => this.#credentialsFor(options)) : [];
    await Promise.all([this.#credentials, ...others].map(credentials => credentials.reload()));
  }

  /** Begins a handshake on an accepted socket. */
  shake(socket: Socket, outcome: HandshakeOutcome): void {
    this.#current().then(
      server => {
        if (socket.destroyed) return;
        noticeEnd(socket);
        SHAKING.set(socket, outcome);
        // A client that finishes before the handshake does is gone: with half-closing allowed no event would report it.
        socket.allowHalfOpen = false;
        server.emit('connection', socket);
      },
      (error: unknown) => outcome.onFailed(asError(error)),
    );
  }

  async #current(): Promise<Server> {
    const material = await this.#credentials.current();
    if (this.#server && this.#material === material) return this.#server;
    const { clientCert = 'none', alpn, sni } = this.#options;
    const server = nodeTls().createServer({
      ...material.options,
      ALPNProtocols: alpn && [...alpn],
      requestCert: clientCert !== 'none',
      ...(clientCert !== 'none' && { secureOptions: alwaysAnew() }),
      rejectUnauthorized: clientCert === 'require',
      // The session's own limit counts.
      handshakeTimeout: MAX_DELAY,
      ...(sni && { SNICallback: callbackify((name: string) => this.#named(name)) }),
    });
    server.on(
      'secureConnection',
      guardEach((socket: TLSSocket) => socket, secured),
    );
    server.on(
      'tlsClientError',
      guardEach((_error: Error, socket: TLSSocket) => socket, failed),
    );
    this.#material = material;
    return (this.#server = server);
  }

  /** The context for the name that a client asks for; the default one where there is none. */
  async #named(servername: string): Promise<SecureContext | undefined> {
    const { sni = {} } = this.#options;
    const name = servername.toLowerCase();
    const options = typeof sni === 'function' ? await sni(name) : written(sni, name);
    return options && (await this.#credentialsFor(options).current()).context;
  }

  #credentialsFor(options: TlsOptions): Credentials {
    let credentials = this.#others.get(options);
    // The server's authorities hold for all of its names, unless one has its own.
    if (!credentials) this.#others.set(options, (credentials = new Credentials({ ca: this.#options.ca, ...options })));
    return credentials;
  }
}

const KNOWN = new WeakMap<TlsOptions, TlsServer>();

/** The serving side of a configuration: one for all connections that are given the same object. */
export function tlsServerOf(options: TlsOptions): TlsServer {
  let server = KNOWN.get(options);
  if (!server) KNOWN.set(options, (server = new TlsServer(options)));
  return server;
}
