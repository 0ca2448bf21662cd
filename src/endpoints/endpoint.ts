import { UsageError } from '../errors.js';
import { isObject, show, text } from '../option-rules.js';
import type { Server } from 'node:net';
import type { TlsOptions } from '../decorators/connection/endpoint-types.js';
import type { RequestsBlueprint } from '../blueprint/connection/route-types.js';
import type { CloseReason, ExitStatus, Remote } from '../decorators/hook-types.js';
import type { Chunk } from '../framing/framing.js';
import type { SocketHandle } from '../hosts/host.js';

export type { Remote };

/** Facts of a TLS session. */
export interface PeerTls {
  readonly protocol: string;
  readonly cipher: string;
  readonly certificate?: unknown;
  readonly servername?: string | undefined;
  readonly alpn?: string | undefined;
  readonly authorized: boolean;
}

/** How a stream becomes a TLS one. */
export interface TlsStart {
  readonly tls: TlsOptions;
  /** This side showed its certificate and the peer verified it. */
  readonly isServer: boolean;
  /** For clients: the host that was dialled, verified where the options name no other. */
  readonly host?: string | undefined;
}

/** The receiving end of a {@link Transport}: the session. Calls never overlap and none comes after `closed`. */
export interface TransportSink {
  /** Bytes (stream) or one whole message (datagram, websocket message) arrived; `from` where the transport is shared by many peers. */
  data(chunk: Buffer, from?: Remote): void;
  /** Brackets deliveries that arrived together: true before the first, false after the last. Replies to them leave in one write. */
  cork?(corked: boolean): void;
  /** The peer has finished sending. */
  ended(): void;
  /** The kernel took some of what was written, after `write` had returned false: `bufferedBytes` says what is left. Always once nothing is. */
  drained(): void;
  /** Bytes have arrived that are a part of a whole message, not the last. */
  partial?(): void;
  /** The peer breaks the protocol beneath: behind what was delivered nothing follows. `end` closes it as the protocol says. */
  broken?(error: Error): void;
  /** One message could not be sent, of those that a transport of messages was given; the transport lives. */
  undelivered?(error: Error, to: Remote): void;
  /**
   * The peer finished sending, everything it sent has been delivered, and it reads no more; the transport is open until `end` or
   * `destroy`.
   */
  unheard?(): void;
  /** The command behind it has ended; right before `closed`. */
  exited?(status: ExitStatus): void;
  /** The transport has closed; with an error if that was the cause. Exactly once, always. */
  closed(error?: Error): void;
}

/** An accepted connection or request: the facts by which a listener admits or refuses it. */
export interface Arrival {
  readonly kind: 'stream' | 'message' | 'request';
  readonly remote: Remote;
  /** The address alone, where that costs less than all of `remote`. */
  readonly peerAddress?: Pick<Remote, 'address'>;
  /**
   * Behind a proxy: reads the PROXY header, from where on `remote` and `local` are what it says. Called once, before `handshake`.
   * Rejects as `handshake` does, with a ProxyProtocolError when it is none.
   */
  introduce?(): Promise<void>;
  /**
   * The handshake that comes before everything else, TLS for instance. If present, it is called once, before `open`.
   * Rejects when it fails, or when the transport is destroyed meanwhile (with that error); the transport is closed then.
   */
  handshake?(): Promise<void>;
  /** Closes at once; what is buffered is dropped. */
  destroy(error?: Error): void;
  /** The Node stream or socket beneath, where there is one: for hand-off and files. */
  readonly raw?: unknown;
}

/**
 * One open connection as an endpoint gives it to the reactor: a duplex of bytes (or of whole messages) without any policy.
 * Limits, order, deadlines and framing are the session's.
 */
export interface Transport extends Arrival {
  /** 'stream': bytes without boundaries. 'message': each `data` and each `write` is one whole message. */
  readonly kind: 'stream' | 'message';
  /** Many peers share this transport, as a listening udp socket: each `write` must name its receiver. */
  readonly shared?: true;
  /** For messages: none is lost. The transport has `writeAll`, and pausing it is enough. */
  readonly lossless?: true;
  /** One read of the socket may be delivered by several calls of `data`: TLS records, websocket messages. */
  readonly deliversPieces?: boolean;
  /** The most bytes that one message may have. */
  readonly longest?: number;
  readonly local: Remote;
  readonly tls?: PeerTls | undefined;
  readonly request?: { readonly url: string; readonly headers: Headers; readonly protocol?: string | undefined } | undefined;
  /** destroy() after the last write loses no data: do not wait for the peer's FIN. */
  readonly needsNoGoodbye?: true;
  /** The peer's end is that of both directions: a websocket's close frame. Streams are not sent behind it. */
  readonly endsBoth?: true;
  /** Bytes written and not yet taken by the kernel. */
  readonly bufferedBytes: number;
  /** Bytes that the kernel took: it grows as long as the peer reads. */
  readonly bytesWritten: number;
  /**
   * Bytes that the system holds for the peer, sent or not, and that it has not acknowledged; undefined where the system does not tell.
   * Left out where `bytesWritten` shows every step of the peer. Never rejects.
   * @param maxAge milliseconds that the system may have been asked before.
   */
  unacknowledged?(maxAge: number): Promise<number | undefined>;
  /** Hands over the sink and begins to deliver. Once. */
  open(sink: TransportSink): void;
  /** Several chunks leave in one system call where the system has one. The array is the caller's and will change. False: wait for `drained`. */
  write(chunks: readonly Chunk[], to?: Remote): boolean;
  /** For messages: sends several, one after the other, in one system call. Returns as `write` does. */
  writeAll?(messages: readonly (Chunk | readonly Chunk[])[]): boolean;
  /** Reads no more from the other side. */
  pause(): void;
  /** Reads again after `pause()`. */
  resume(): void;
  /**
   * Closes at once with a reset, so that the peer can tell that it has not received everything; what is buffered is dropped. A transport
   * that has no such signal leaves it out and is destroyed instead.
   */
  reset?(): void;
  /** Sends what is buffered, then the end of our direction; where the protocol beneath has words for it, why. */
  end(why?: CloseReason): void;
  /**
   * From here on it speaks TLS, in place: what was written leaves as it is, then follows the handshake. Nothing may be written meanwhile.
   * Bytes that the sink was not given yet belong to TLS. Rejects as `handshake` does.
   */
  startTls?(how: TlsStart): Promise<void>;
  /**
   * Takes the socket out of it, for another process: nothing is read from here on. Everything written must be with the kernel. What
   * is left is to be destroyed, and says then that it is closed. Undefined: there is none any more. Only where it is `detachable`.
   */
  detach?(): Detached | undefined;
  /** Its socket can be taken out of it, and means the same elsewhere: no TLS, nothing but bytes. */
  readonly detachable?: boolean;
}

/** A socket without its transport. */
export interface Detached {
  readonly handle: SocketHandle;
  /** Received, and not delivered. */
  readonly rest: Buffer;
}

/** Source of a listener's sockets, where another process or listener has bound the address. */
export interface SocketSource {
  /** From now on they go to that server, as if it had accepted them, or it accepts them itself. */
  attach(server: Server): void;
}

/** A bound listener. */
export interface Bound {
  readonly address: BoundAddress;
  /** Where it is several sockets: all of their addresses, `address` being the first. */
  readonly addresses?: readonly BoundAddress[];
  /** The binding is itself the one connection that it accepts, and ends with it: udp, stdio. */
  readonly shared?: true;
  /** The binding was given to this process and cannot be had again: suspended, it stays and refuses. */
  readonly inherited?: true;
  /** Stops accepting for good; open connections live on. Resolves when the address is free. */
  close(): Promise<void>;
}

/** Where a listener is bound: port 0 of its endpoint is the port that the system picked. */
export interface BoundAddress {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly path?: string | undefined;
}

/** A command to run, and how. */
export interface ExecTarget {
  readonly command: string;
  readonly args: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
}

/** The endpoint as its scheme sees it: the url and the options that only this scheme understands. */
export interface EndpointTarget {
  readonly url: string;
  /** The command of `exec()`. */
  readonly exec?: ExecTarget | undefined;
  readonly options: Readonly<Record<string, unknown>>;
  /** For schemes that serve requests: the routes and hooks that answer them. */
  readonly requests?: RequestsBlueprint | undefined;
  /** Nothing is to be bound: sockets come from there. */
  readonly source?: SocketSource | undefined;
  /** Accepted sockets are passed on to another process: not a byte is read here. */
  readonly unread?: true | undefined;
}

/** Callbacks of a scheme for the connections that it accepts. */
export interface Acceptor {
  /** A new connection. The scheme keeps no reference to it. */
  accept(arrival: Transport | Arrival): void;
  /** The listener broke after it was bound. */
  failed(error: Error): void;
  /** As they are now: they may be changed while it listens. Infinity is off. */
  readonly limits?: { readonly maxMessageSize: number };
  /** Identifies the reactor: the same object for all its listeners. A scheme may let them share a socket. */
  readonly reactor?: object;
}

/** One kind of endpoint, `tcp:` for instance. A third party registers its own with {@link registerScheme}. */
export interface Scheme {
  /** Without the colon: 'tcp'. */
  readonly name: string;
  /** The scheme understands `proxyProtocol`: its transports have `introduce`, or it reads the header itself. */
  readonly proxied?: true;
  /** The scheme brings requests for `@OnRequest`, not connections that exchange messages. */
  readonly serves?: 'requests';
  /** Options that only it understands: others are told to be typing errors. */
  readonly options?: readonly string[];
  /** The scheme's targets can be had once in the life of a process: a Dialer does not dial again. */
  readonly once?: true;
  /**
   * The tcp: or unix: endpoint beneath a url. Where there is one, sockets may be accepted there in one process and served in another:
   * its `listen` then takes them from `source` and binds nothing.
   */
  carrier?(url: string): string;
  /** Endpoints with one carrier share it: what comes in there says itself which of them it is for. */
  readonly shares?: true;
  /** Binds; rejects with a ListenError. */
  listen?(target: EndpointTarget, acceptor: Acceptor): Promise<Bound>;
  /** Another process accepts for this reactor from now on: resolves when the last clients that may ask for more have had their answers. */
  lastAnswers?(reactor: object): Promise<void>;
  /** Dials once; rejects with a ConnectError. Aborting the signal gives up. */
  connect?(target: EndpointTarget, signal: AbortSignal): Promise<Transport>;
  /** Checks the url without touching the system; what is wrong, in words, or undefined. */
  check?(target: EndpointTarget, use: 'listen' | 'connect'): string | undefined;
}

const SCHEMES: Map<string, Scheme> = ((globalThis as Record<symbol, unknown>)[Symbol.for('packet-ts.schemes')] ??= new Map()) as Map<
  string,
  Scheme
>;

/** Makes an endpoint scheme known to every reactor of this process. */
export function registerScheme(scheme: Scheme): void {
  if (!isObject(scheme) || !text.fits(scheme['name']))
    throw new UsageError(`registerScheme() takes a scheme, and was given ${show(scheme)}`);
  SCHEMES.set(scheme.name, scheme);
}

/** The scheme of that name, if it is registered. */
export function schemeNamed(name: string): Scheme | undefined {
  return SCHEMES.get(name);
}
