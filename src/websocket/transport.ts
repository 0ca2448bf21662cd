import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { guard } from '../guard.js';
import type { CloseReason } from '../decorators/hook-types.js';
import type { PeerTls, Remote, Transport, TransportSink } from '../endpoints/endpoint.js';
import { resetSocket } from '../endpoints/net/reset-socket.js';
import { unacknowledgedBytes } from '../endpoints/net/send-queue.js';
import { peerTlsOf } from '../endpoints/tls/tls-handshake.js';
import type { Chunk } from '../framing/framing.js';
import { isText } from '../framing/shared-text.js';
import { listenPlaceOf } from '../web/web-url.js';
import { takenFrom } from '../node-internals.js';
import { closeCodeOf, violation } from './close-codes.js';
import { dataFrames } from './data-frames.js';
import { FrameSocket } from './frame-socket.js';
import type { OpeningRequest } from './opening-request.js';
import { KeepAlive, type KeepAliveHost } from './keep-alive.js';
import { PingBacklog } from './ping-backlog.js';
import { monotonicNow, nextTick, setImmediate } from '../system-timers.js';

/** How a connection is spoken on, besides its limits. */
export interface WebSocketSettings {
  readonly scheme: 'ws' | 'wss';
  /** As the url has it; '' where it has none. */
  readonly path: string;
  /** Successive messages are one stream of bytes. */
  readonly stream: boolean;
  /** After how much silence the peer is asked whether it lives, in milliseconds. Infinity: never. */
  readonly keepAlive: number;
}

/** The answers to so many messages leave together, where those came together; the first one waits for no more. */
const TOGETHER = 32;
/** Frames of one chunk from which on others are served before the next one is read. */
const SHARE = 128;
/** Nor for more milliseconds, looked at after so many messages. */
const SLICE = 10;
const LOOK = 8;

function gone(message: string, code: string): Error {
  return Object.assign(new Error(message), { code });
}

/** One message: text where nothing but strings belongs to it, else binary. */
function messageOf(chunks: readonly Chunk[]): Chunk {
  const [only] = chunks;
  if (chunks.length === 1) return only!;
  if (chunks.every(chunk => typeof chunk === 'string')) return chunks.join('');
  return Buffer.concat(chunks.map(chunk => (typeof chunk === 'string' ? Buffer.from(chunk) : chunk)));
}

/** An open websocket as a transport: of whole messages, or, with `stream`, of the bytes in them. */
export abstract class WebSocketTransport implements Transport, KeepAliveHost {
  readonly deliversPieces = true;
  readonly endsBoth = true;
  readonly kind: 'message' | 'stream';
  declare readonly lossless?: true;
  readonly request: OpeningRequest;
  readonly remote: Remote;
  readonly local: Remote;
  readonly tls: PeerTls | undefined;
  protected readonly socket: Socket;
  readonly #settings: WebSocketSettings;
  readonly #isServer: boolean;
  #ws: FrameSocket | undefined;
  #sink: TransportSink | undefined;
  #error: Error | undefined;
  #paused = false;
  /** The peer has sent its close frame. */
  #ended = false;
  /** Nothing more is expected of the peer. */
  #deaf = false;
  #finished = false;
  #destroyed = false;
  #closed = false;
  #waited = false;
  /** Bytes of messages sent; what the framing of websockets adds does not count. */
  #said = 0;
  /** When all of them were last known to be with the kernel: what it had taken by then. */
  #sure = 0;
  #sureBeneath = 0;
  /** The payload of the newest ping that is not answered: the chunk that it came in is being read, or the peer does not read. */
  #ping: Buffer | undefined;
  /** Messages, pings and pongs of the chunk that is being read. */
  #frames = 0;
  /** The peer has sent more frames at once than a turn's share: it is read again in the next turn. */
  #resting = false;
  /** A message was completed by the chunk that is being read. */
  #completed = false;
  /** Messages of the chunk that is being read whose answers have not left. */
  #corked = 0;
  /** When the first of them came. */
  #corkedAt = 0;
  #keepAlive: KeepAlive | undefined;
  readonly backlog = new PingBacklog(this);
  /** Messages sent by the handler's constructor: there is no websocket yet. */
  #early: Chunk[] = [];
  #earlyBytes = 0;

  /** `client` is what a trusted proxy told of the other side; without it, it is the socket's. */
  constructor(socket: Socket, settings: WebSocketSettings, request: OpeningRequest, isServer: boolean, client?: Remote) {
    this.socket = socket;
    this.#settings = settings;
    this.#isServer = isServer;
    this.kind = settings.stream ? 'stream' : 'message';
    if (!settings.stream) this.lossless = true;
    this.request = request;
    const { scheme, path } = settings;
    this.remote = client ?? listenPlaceOf(scheme, socket.remoteAddress, socket.remotePort, isServer ? '' : path);
    this.local = listenPlaceOf(scheme, socket.localAddress, socket.localPort, isServer ? path : '');
    this.tls = socket instanceof TLSSocket ? peerTlsOf(socket, isServer) : undefined;
    socket.on(
      'error',
      guard(this, (error: Error) => void (this.#error ??= error)),
    );
  }

  /** The websocket, opened now at the latest; undefined: the peer has left. */
  protected abstract upgrade(): FrameSocket | undefined;
  /** Says, in HTTP, why there will be no websocket. */
  protected abstract refuse(error: Error | undefined): void;

  get raw(): Socket {
    return this.socket;
  }

  get bufferedBytes(): number {
    return this.#closed ? 0 : this.#earlyBytes + this.socket.writableLength;
  }

  get bytesWritten(): number {
    const waiting = this.socket.writableLength;
    if (waiting === 0 || this.#closed) return this.#said;
    return Math.min(this.#said - 1, this.#sure + Math.max(0, takenFrom(this.socket) - this.#sureBeneath));
  }

  unacknowledged(maxAge: number): Promise<number | undefined> {
    return unacknowledgedBytes(this.socket, maxAge);
  }

  open(sink: TransportSink): void {
    this.#sink = sink;
    const ws = this.#destroyed ? undefined : this.upgrade();
    if (!ws) {
      this.socket.destroy();
      nextTick(() => this.#close(this.#error ?? gone('the peer left before the websocket was open', 'ECONNRESET')));
      return;
    }
    this.#ws = ws;
    ws.onPeerClosed = guard(this, () => this.#peerEnded());
    ws.on(
      'message',
      guard(this, (data: Buffer) => this.#message(data)),
    );
    ws.on(
      'ping',
      guard(this, (payload: Buffer) => {
        this.#completes();
        this.#ping = payload;
      }),
    );
    ws.on(
      'pong',
      guard(this, () => this.#completes()),
    );
    ws.on(
      'error',
      guard(this, (error: Error) => this.#violated(error)),
    );
    ws.on(
      'close',
      guard(this, (code: number) => this.#gone(code)),
    );
    // Behind the listener of `ws`: by now it has read what was in the chunk.
    this.socket.on(
      'data',
      guard(this, () => this.#read()),
    );
    if (this.#paused) ws.pause();
    this.#keepAlive = new KeepAlive(this, this.#settings.keepAlive);
    const early = this.#early;
    if (early.length === 0) return;
    this.#early = [];
    this.#earlyBytes = 0;
    // The writer waits for 'drained'.
    if (this.writeAll(early)) nextTick(() => this.#closed || sink.drained());
  }

  write(chunks: readonly Chunk[]): boolean {
    return chunks.length === 0 || this.writeAll([messageOf(chunks)]);
  }

  writeAll(messages: readonly (Chunk | readonly Chunk[])[]): boolean {
    const ws = this.#ws;
    if (this.#destroyed || this.#finished || this.#closed) return true;
    if (!ws) return this.#keep(messages);
    // The peer has finished without a close frame, and `ws` with it: what the kernel has not taken yet still leaves, nothing more.
    if (ws.readyState !== ws.OPEN) return true;
    const { socket } = this;
    const whole = messages.map(message => (typeof message === 'string' || message instanceof Uint8Array ? message : messageOf(message)));
    for (const message of whole) this.#said += Buffer.byteLength(message);
    const frames = this.#isServer ? dataFrames(whole) : undefined;
    const parts = frames ?? whole;
    if (parts.length > 1) socket.cork();
    for (let i = 0; i < parts.length; i++) {
      // One callback is enough: the kernel takes them in order.
      const taken = i === parts.length - 1 ? this.#wrote : undefined;
      if (frames) socket.write(frames[i]!, taken);
      else ws.send(whole[i]!, { binary: !isText(whole[i]!) }, taken);
    }
    if (parts.length > 1) socket.uncork();
    if (socket.writableLength === 0) return true;
    this.#waited = true;
    return false;
  }

  /** Until it is open. The array is the caller's and will change. */
  #keep(messages: readonly (Chunk | readonly Chunk[])[]): false {
    for (const message of messages) {
      const data = typeof message === 'string' || message instanceof Uint8Array ? message : messageOf(message);
      this.#early.push(data);
      this.#earlyBytes += Buffer.byteLength(data);
    }
    return false;
  }

  pause(): void {
    this.#paused = true;
    this.#ws?.pause();
  }

  resume(): void {
    this.#paused = false;
    if (!this.#resting) this.#ws?.resume();
  }

  end(why?: CloseReason): void {
    if (this.#finished || this.#closed) return;
    this.#finished = true;
    this.#ws?.finish(closeCodeOf(why));
  }

  destroy(error?: Error): void {
    if (this.#closed) return;
    if (!this.#destroyed) {
      this.#destroyed = true;
      this.#error ??= error;
      if (this.#ws) this.#ws.terminate();
      else this.refuse(error);
    }
    // Its 'close' has come before, and the listener of that failed.
    if (this.#ws?.readyState === FrameSocket.CLOSED) this.#close(this.#error);
  }

  reset(): void {
    if (this.#destroyed || this.#closed) return;
    if (this.#ws) resetSocket(this.socket);
    this.destroy();
  }

  // ── KeepAliveHost ──

  get isDeaf(): boolean {
    return this.#paused || this.#finished;
  }

  get taken(): number {
    return takenFrom(this.socket);
  }

  ping(): void {
    this.#ws?.ping();
  }

  onLost(): void {
    this.destroy(gone('the peer does not answer pings', 'ETIMEDOUT'));
  }

  // ── its own ──

  #completes(): void {
    this.#completed = true;
    this.#frames++;
  }

  #message(data: Buffer): void {
    this.#completes();
    if (this.#destroyed || this.#deaf) return;
    if (this.#corked === TOGETHER || (this.#corked % LOOK === 0 && this.#corked > 0 && monotonicNow() - this.#corkedAt > SLICE))
      this.#uncork();
    if (this.#corked++ === 0) {
      this.#corkedAt = monotonicNow();
      this.#sink!.cork?.(true);
    }
    this.#sink!.data(data);
  }

  #uncork(): void {
    if (this.#corked === 0) return;
    this.#corked = 0;
    this.#sink!.cork?.(false);
  }

  /** A chunk has been read. */
  #read(): void {
    this.#keepAlive!.onHeard();
    this.#uncork();
    this.#pong();
    if (!this.#completed && !this.#destroyed && !this.#deaf) this.#sink!.partial?.();
    this.#completed = false;
    if (this.#frames > SHARE) this.#rest();
    this.#frames = 0;
  }

  /** Others get their turn before more is read. */
  #rest(): void {
    if (this.#resting) return;
    this.#resting = true;
    this.#ws!.pause();
    setImmediate(() => {
      this.#resting = false;
      if (!this.#paused) this.#ws!.resume();
    });
  }

  /** However many come in a chunk, and while the peer does not read, one is answered: the newest. */
  #pong(): void {
    const ping = this.#ping;
    if (!ping || this.socket.writableLength > 0) return;
    this.#ping = undefined;
    this.#ws!.pong(ping, undefined, this.#wrote);
  }

  #violated(error: Error): void {
    if (this.#destroyed || this.#ended) return;
    this.#deaf = true;
    this.#sink!.broken?.(violation(error));
  }

  #peerEnded(): void {
    if (this.#ended || this.#destroyed) return;
    this.#ended = true;
    this.#deaf = true;
    this.#sink!.ended();
  }

  readonly #wrote = guard(this, (error?: Error | null) => {
    if (error || this.#closed) return;
    if (this.socket.writableLength === 0) {
      this.#sure = this.#said;
      this.#sureBeneath = takenFrom(this.socket);
      this.#pong();
    }
    if (!this.#waited) return;
    if (this.socket.writableLength === 0) this.#waited = false;
    this.#sink!.drained();
  });

  #gone(code: number): void {
    const unforeseen = code === 1006 && !this.#destroyed && !this.#ended;
    this.#close(this.#error ?? (unforeseen ? gone('the peer left without a close frame', 'ECONNRESET') : undefined));
  }

  #close(error: Error | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#keepAlive?.stop();
    this.#sink?.closed(error);
  }
}
