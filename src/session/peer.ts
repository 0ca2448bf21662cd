import type { Ctor } from '../blueprint/types.js';
import type { TlsOptions } from '../decorators/connection/endpoint-types.js';
import type { peerTypes, PeerShape } from '../decorators/connection/peer-types.js';
import type { PeerTls, Remote } from '../endpoints/endpoint.js';
import type { Framing } from '../framing/framing.js';
import type { Duration, Off } from '../units.js';
import { UsageError } from '../errors.js';
import { anything, checkGiven, flag, isFraming, number, show } from '../option-rules.js';
import { closeReason } from './close-reasons.js';
import type { LiveConnection } from './live-connection.js';
import type { FileRange, HandOffOptions, PipeOptions } from './peer-options.js';
import { handOff } from './takeover/hand-off.js';
import type { ConnectionPipes } from './takeover/pipe.js';

/** A peer's side of its session. */
export interface PeerHost extends LiveConnection {
  readonly pipes: ConnectionPipes;
  readonly bytesRead: number;
  /** Milliseconds since the epoch. */
  readonly openedAt: number;
  /** `data` of connect() or dial(). */
  readonly given: object;
  send(message: unknown, to?: Remote): boolean;
  end(message: unknown): void;
  halfClose(): void;
  pause(): void;
  resume(): void;
  setFraming(framing: Framing<unknown, unknown>): void;
  setIdleTimeout(timeout: Duration | Off): void;
  sendFile(path: string | URL, range: FileRange): Promise<number>;
  startTls(options: TlsOptions | undefined): Promise<void>;
}

let reach: (peer: Peer) => PeerHost;

/**
 * The other side, as a connection's handler sees it. Inject it: it belongs to this connection alone.
 * `In` and `Out` are the framing's messages, `Data` is what `reactor.connect(…, { data })` was given.
 * @example
 * @Connection({ listen: 'tcp://127.0.0.1:7000', framing: lines() })
 * class Greeter {
 *   constructor(private readonly peer: Peer<string, string>) {}
 *   @OnData() greet(name: string) { this.peer.send(`hello ${name}`); this.peer.end('bye'); }
 * }
 */
// oxlint-disable-next-line typescript/no-explicit-any, typescript/no-empty-object-type -- a plain `Peer` takes any message
export class Peer<In = any, Out = any, Data extends object = {}> implements PeerShape<In, Out, Data> {
  declare readonly [peerTypes]?: { readonly in: In; readonly out: Out; readonly data: Data };
  readonly #session: PeerHost;

  static {
    reach = peer => peer.#session;
  }

  /** Made by the reactor. */
  constructor(session: PeerHost) {
    this.#session = session;
  }

  /**
   * Encodes a message and sends it with whatever else this turn sends. True: taken; false: the connection is closed, it is dropped.
   * @throws EncodeError when the framing cannot encode it.
   */
  send(message: Out): boolean {
    return this.#session.send(message);
  }

  /**
   * On udp: sends a message to another address. Elsewhere there is only one peer, and `to` does not count.
   * @throws EncodeError when the framing cannot encode it.
   */
  sendTo(message: Out, to: Remote): boolean {
    return this.#session.send(message, to);
  }

  /**
   * Resolves when the kernel has taken everything sent so far.
   * @throws ConnectionClosedError when the connection closes before.
   */
  flush(): Promise<void> {
    return this.#session.sendBuffer.whenEmpty();
  }

  /**
   * Sends what is due, then the message, then finishes; nothing more is read.
   * @throws EncodeError when the framing cannot encode the message.
   */
  end(message?: Out): void {
    this.#session.end(message);
  }

  /**
   * Sends what is due, then finishes, and goes on listening: what the peer still says is handled, what handlers return then is dropped.
   * It closes when the peer has finished, too. To a command of `exec()` it is the end of its stdin.
   * @throws UsageError where messages are whole by themselves: on udp and websockets.
   * @example const sort = await reactor.connect(Lines, exec('sort')); sort.peer.send('b'); sort.peer.send('a'); sort.peer.halfClose();
   */
  halfClose(): void {
    this.#session.halfClose();
  }

  /** Closes at once; what is not sent yet is dropped, and then the peer gets a TCP reset instead of a FIN. */
  destroy(error?: Error): void {
    this.#session.state.destroy(closeReason('local DESTROY', error));
  }

  /**
   * Closes at once with a TCP reset, by which the peer can tell that it has not received everything; what is not sent yet is dropped.
   * `destroy()` does the same where it cuts an answer off. Where there is no reset (unix sockets, commands) it is `destroy()`.
   */
  reset(): void {
    this.#session.state.reset(closeReason('local RESET'));
  }

  /** Stops reading and handling messages until `resume()`. */
  pause(): void {
    this.#session.pause();
  }

  /** Reads and handles messages again after `pause()`. */
  resume(): void {
    this.#session.resume();
  }

  /**
   * Sends a file, or a part of it, past the framing; what is sent meanwhile follows it. Resolves with its bytes when all are written.
   * @throws ConnectionClosedError when the connection closes before, or what the file system says.
   * @example await peer.sendFile('/srv/movie', { start: 1024, length: 4096 });
   */
  sendFile(path: string | URL, range: FileRange = {}): Promise<number> {
    checkGiven('sendFile()', range, { start: number(0), length: number(0) });
    return this.#session.sendFile(path, range);
  }

  /**
   * Lets the peer's bytes flow to another one, past both framings, beginning with those received and not yet handled.
   * Resolves with their number when the source has finished or `limit` is reached.
   * @throws ConnectionClosedError when either side is gone.
   * @example await Promise.all([client.pipe(upstream), upstream.pipe(client)]);
   */
  // oxlint-disable-next-line typescript/no-explicit-any -- whatever it speaks
  pipe(to: Peer<any, any, any>, options: PipeOptions = {}): Promise<number> {
    checkGiven('pipe()', options, { limit: anything, end: flag });
    return this.#session.pipes.start(peerHostOf(to).pipes, options);
  }

  /**
   * From here on the connection speaks TLS, as server where it was accepted and as client where it was dialled. What was sent so far leaves
   * in the clear; what is sent meanwhile follows the handshake. Resolves after it and `@OnSecure`, with a fresh decoder, within
   * `handshakeTimeout`.
   * @param options Default: `tls:` of the endpoint or its class.
   * @throws TlsInjectionError when anything had been received behind the message being handled, TlsError when the handshake fails, LimitError when
   * it takes too long, ConnectionClosedError: the connection is closed then. UsageError with `concurrency` above 1, without a certificate
   * on the serving side, or where it speaks TLS already: then nothing has happened.
   * @example
   * @OnData() async command(line: string) {
   *   if (line !== 'STARTTLS') return this.handle(line);
   *   this.peer.send('220 go ahead');
   *   await this.peer.startTls();
   * }
   */
  startTls(options?: TlsOptions): Promise<void> {
    return this.#session.startTls(options);
  }

  /**
   * Moves a live tcp or unix connection to a worker's process, what was received and not handled included; what was sent before has left.
   * Resolves when a process has acknowledged it: here it closes `by: 'handoff'`, and what the handler returns goes nowhere. There it is a
   * new instance of a class among the worker's `connections`, counted by the limits of that class. When no process takes it the client is
   * closed.
   * @throws UsageError where it cannot be: TLS, ws, udp, `concurrency` above 1, no such class; NotCloneableError for such `data`: the
   * connection is as it was then. Otherwise it is closed: WorkerNotFoundError when the worker is not started, LimitError when it is full,
   * WorkerUnavailableError, ConnectionClosedError.
   * @example
   * @OnData() async route(line: string) { await this.peer.handOff(EdgeWorker, { to: EdgeConnection, data: { user: line } }); }
   */
  async handOff(worker: Ctor, options: HandOffOptions = {}): Promise<void> {
    checkGiven('handOff()', options, { to: anything, data: anything });
    await handOff(this.#session, worker, options);
  }

  /**
   * From the next message on, bytes are read and written so. Bytes not yet decoded go to the new decoder.
   * @throws UsageError with `concurrency` above 1.
   */
  setFraming(framing: Framing<In, Out>): void {
    if (!isFraming(framing)) throw new UsageError(`setFraming() takes a framing of 'packet-ts/framing', or your own, not ${show(framing)}`);
    this.#session.setFraming(framing);
  }

  /** Changes `idleTimeout` of this connection, and begins to count anew. */
  setIdleTimeout(timeout: Duration | Off): void {
    this.#session.setIdleTimeout(timeout);
  }

  /** Never reused in this process. */
  get id(): string {
    return this.#session.id;
  }

  /** Address of the other side; what a PROXY header named, where one is expected. */
  get remote(): Remote {
    return this.#session.transport.remote;
  }

  /** Address of this side. */
  get local(): Remote {
    return this.#session.transport.local;
  }

  /** Protocol, cipher and certificate of an encrypted connection; undefined on every other. */
  get tls(): PeerTls | undefined {
    return this.#session.transport.tls;
  }

  /** For `ws:`: the request that was upgraded, its url absolute, and the subprotocol agreed on. A client has the headers of the answer. */
  get request(): { readonly url: string; readonly headers: Headers; readonly protocol?: string | undefined } | undefined {
    return this.#session.transport.request;
  }

  /** As many bytes wait to be sent as `highWaterMark` says: better wait for `@OnDrain` or `flush()`. */
  get congested(): boolean {
    return this.#session.sendBuffer.isCongested;
  }

  /** Bytes sent and not yet taken by the kernel. */
  get bufferedBytes(): number {
    return this.#session.sendBuffer.bytes;
  }

  /** Bytes that arrived. */
  get bytesRead(): number {
    return this.#session.bytesRead;
  }

  /** Bytes that the kernel took. */
  get bytesWritten(): number {
    return this.#session.transport.bytesWritten;
  }

  /** When the connection was accepted, or had been dialled. */
  get openedAt(): Date {
    return new Date(this.#session.openedAt);
  }

  /** Aborted when the peer is gone. */
  get signal(): AbortSignal {
    return this.#session.state.signal;
  }

  /** The `data` given to `reactor.connect` or `dial`; empty for accepted connections. */
  get data(): Data {
    // `connect` demands a value of this type for every class whose peer declares one.
    return this.#session.given as Data;
  }
}

/** The session behind a peer: for the reactor, never for handlers. */
export function peerHostOf(peer: Peer): PeerHost {
  return reach(peer);
}
