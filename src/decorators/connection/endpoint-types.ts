import type { Framing } from '../../framing/framing.js';
import type { Duration, Off, Size } from '../../units.js';
import type { OneOrMany } from '../ctor.js';
import type { CorsOptions } from './cors-types.js';

/**
 * The urls that endpoints may have, by scheme. A package that registers another scheme adds its own:
 * @example declare module 'packet-ts' { interface Schemes { quic: `quic://${string}` } }
 */
export interface Schemes {
  tcp: `tcp://${string}`;
  tls: `tls://${string}`;
  udp: `udp://${string}`;
  unix: `unix:${string}`;
  ws: `ws://${string}`;
  wss: `wss://${string}`;
  http: `http://${string}`;
  https: `https://${string}`;
  stdio: 'stdio:';
  fd: `fd:${number}`;
  systemd: `systemd:${string}`;
  memory: `memory:${string}`;
}
/** An address to listen on or to connect to: its scheme says by what. docs/endpoints.md has them all. */
export type Url = Schemes[keyof Schemes];

/** How `exec()` runs its command. */
export interface ExecOptions {
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly cwd?: string | undefined;
  /** Where the child's stderr goes: line by line to the log (default), nowhere, or into the connection. */
  readonly stderr?: 'log' | 'ignore' | 'merge' | undefined;
}

/** A command whose stdin and stdout are the connection. Made by `exec()`. */
export interface Exec {
  readonly command: string;
  readonly args: readonly string[];
  readonly options: ExecOptions;
}

/** Where to listen or connect. */
export type Endpoint = Url | Exec;

/** PEM text, its bytes, or the URL of a file that is read again when it changes. */
export type Pem = string | Uint8Array | URL;

/** TLS 1.2 or newer; peers are verified unless said otherwise. */
export interface TlsOptions {
  cert?: Pem | undefined;
  key?: Pem | undefined;
  ca?: OneOrMany<Pem> | undefined;
  /** Other certificates by the name that the client asks for. */
  sni?:
    Readonly<Record<string, TlsOptions>> | ((servername: string) => TlsOptions | undefined | Promise<TlsOptions | undefined>) | undefined;
  alpn?: readonly string[] | undefined;
  /** For listeners: whether clients show a certificate. Default 'none'. */
  clientCert?: 'none' | 'request' | 'require' | undefined;
  minVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined;
  /** For clients: the name that is asked for and verified. Default: the url's host. */
  servername?: string | undefined;
}

/** The limits of a listener and its connections. `0` or `false` switches one off. */
export interface Limits {
  /** Open connections of one listener. Default 10 000, less where descriptors are scarcer. */
  maxConnections?: number | Off | undefined;
  /** Beyond `maxConnections`: close what is accepted (default), or stop listening until there is room. */
  whenFull?: 'reject' | 'pause' | undefined;
  /** Open connections of one address, of IPv6 one /64. Default: a tenth of `maxConnections`, and off for the loopback. */
  maxPerPeer?: number | Off | undefined;
  /** Bytes of one message. Default: the framing's own, else 1mb. Beyond: FramingError, closed. */
  maxMessageSize?: Size | Off | undefined;
  /** Until anything was sent or received. Default 30s on listening tcp, tls and ws. */
  firstMessageTimeout?: Duration | Off | undefined;
  /** From a message's first byte to its last. Default 30s. */
  messageTimeout?: Duration | Off | undefined;
  /** Silence of the peer. Default none. Then `@OnIdle`, or closed. */
  idleTimeout?: Duration | Off | undefined;
  /** Dialling. Default 10s. */
  connectTimeout?: Duration | Off | undefined;
  /** TLS and websocket handshakes. Default 10s. */
  handshakeTimeout?: Duration | Off | undefined;
  /** Unsent bytes from which the peer is `congested`, and undecoded bytes from which it is not read. Default 64kb. */
  highWaterMark?: Size | undefined;
  /** Unsent bytes below which it is no longer, and `@OnDrain` is called. Default 32kb. */
  lowWaterMark?: Size | undefined;
  /** Unsent bytes beyond which the connection is dropped. Default 16mb. */
  maxBufferedBytes?: Size | Off | undefined;
  /** Without progress in sending. Default 30s. Then dropped. */
  drainTimeout?: Duration | Off | undefined;
  /** How long a connection whose peer has finished may still answer. Default 5s. */
  halfCloseGrace?: Duration | Off | undefined;
  rateLimit?: { messages: number; per: Duration; burst?: number | undefined; beyond: 'pause' | 'close' } | Off | undefined;
  /** Addresses (CIDR) that may connect; all, where nothing is said. */
  allow?: readonly string[] | undefined;
  /** Addresses (CIDR) that may not. */
  deny?: readonly string[] | undefined;
  /**
   * Proxies (CIDR) in front: each connection begins with a PROXY header, version 1 or 2, and `peer.remote` and the rules see the client
   * that it names. Other addresses are refused. On `unix:` every client counts as a proxy.
   */
  proxyProtocol?: { from: readonly string[] } | undefined;
  /**
   * For `http:` and `ws:`: proxies (CIDR) in front whose `X-Forwarded-For`, `-Proto` and `-Host` count: `remote`, the rules and `request.url`
   * see the client. From anywhere else these fields count for nothing.
   */
  trustProxy?: readonly string[] | undefined;
  /** Connections that the kernel holds until they are accepted. Default 1024. */
  backlog?: number | undefined;
  /** Default true. */
  noDelay?: boolean | undefined;
  /** TCP keep-alive after this silence. Default 1m. */
  keepAlive?: Duration | Off | undefined;
}

/** How a Dialer waits between attempts. */
export interface Reconnect {
  /** Before the first new attempt. Default 1s. */
  delay?: Duration | undefined;
  /** Each next wait is so much longer. Default 1.5. */
  factor?: number | undefined;
  /** Default 60s. */
  maxDelay?: Duration | undefined;
  /** Spreads the waits at random, so that many clients do not come at once. Default true. */
  jitter?: boolean | undefined;
}

/**
 * Decides whether a request for a websocket is granted; a `Response` refuses it.
 * @example authorize: async (request: Request) => ((await users.find(request.headers.get('cookie'))) ? undefined : new Response('who are you?', { status: 401 }))
 */
export type AuthorizeOpening = (
  request: Request,
  about: {
    readonly remote: { readonly url: string; readonly address?: string | undefined; readonly port?: number | undefined };
    readonly tls: { readonly protocol: string; readonly certificate?: unknown; readonly authorized: boolean } | undefined;
  },
) => Response | undefined | void | Promise<Response | undefined | void>;

/** Everything that can be said of one endpoint besides its url. */
export interface PerEndpoint<In, Out> extends Limits {
  framing?: Framing<In, Out> | undefined;
  tls?: TlsOptions | undefined;
  /** Permissions of a `unix:` socket. Default 0o600. */
  mode?: number | undefined;
  /** For `http:`: what pages of other origins may do. Nothing, where it is not written. */
  cors?: CorsOptions | undefined;
  /** For `ws:`: origins allowed besides the host itself. */
  origins?: readonly string[] | undefined;
  /** For `ws:` and `http:` on the loopback: names that `Host` may have besides addresses and localhost. */
  hosts?: readonly string[] | undefined;
  /**
   * For `tcp:` and `tls:` on the loopback: a connection may begin with a request of HTTP. Otherwise it is closed, because any web page can
   * make a browser send one. Default false; needless with `headerAndBody()`.
   */
  allowHttp?: boolean | undefined;
  /**
   * For `ws:`: asked before the handshake is answered and before a handler is made. A `Response` refuses the websocket, 401 for instance.
   * It has `handshakeTimeout`.
   */
  authorize?: AuthorizeOpening | undefined;
  /** For `ws:`: subprotocols, best first. */
  protocols?: readonly string[] | undefined;
  /** For `ws:`: successive messages are one byte stream for one decoder. */
  stream?: boolean | undefined;
  /** For `udp:`: may send to broadcast addresses. */
  broadcast?: boolean | undefined;
  /** For `udp:`: groups to join. */
  multicast?:
    { groups: readonly string[]; interface?: string | undefined; ttl?: number | undefined; loopback?: boolean | undefined } | undefined;
  /** Messages of one connection handled at once. Default 1; 64 on udp. */
  concurrency?: number | undefined;
  /** With `concurrency`: false lets replies leave as they come. Default true. */
  ordered?: boolean | undefined;
  /** A peer that has finished may still be sent to: `@OnEnd`. */
  allowHalfOpen?: boolean | undefined;
  reconnect?: Reconnect | undefined;
}

/** A url together with its own options. */
export interface EndpointOptions<In, Out> extends PerEndpoint<In, Out> {
  url: Endpoint;
}

/** One endpoint, several, or a function that says which at bootstrap. */
export type EndpointsOption<In, Out> =
  OneOrMany<Endpoint | EndpointOptions<In, Out>> | (() => OneOrMany<Endpoint | EndpointOptions<In, Out>>);

/** The options of `@Connection`. */
export interface ConnectionOptions<In, Out> extends PerEndpoint<In, Out> {
  listen?: EndpointsOption<In, Out> | undefined;
  connect?: EndpointsOption<In, Out> | undefined;
}
