import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { guard, guardThis } from '../../guard.js';
import { asError, ConnectionClosedError, TlsInjectionError, UsageError } from '../../errors.js';
import type { Chunk } from '../../framing/framing.js';
import type { Detached, PeerTls, Remote, TlsStart, Transport, TransportSink } from '../endpoint.js';
import { hasHandle, takeHandle, takenFrom } from '../../node-internals.js';
import { readProxyHeader } from './proxy-header.js';
import type { ProxyHeader, ProxyPlace } from './proxy-protocol.js';
import { resetSocket } from './reset-socket.js';
import { unacknowledgedBytes } from './send-queue.js';
import { handshake, peerTlsOf } from '../tls/tls-handshake.js';
import { nextTick, setImmediate } from '../../system-timers.js';

const TRANSPORT = Symbol('transport');

/** A socket that knows its transport: the listeners are shared functions, and a connection costs no closures. */
interface Known extends Socket {
  [TRANSPORT]?: SocketTransport;
}

/** A socket that speaks TLS. */
interface Secured {
  readonly peer: PeerTls;
  /** The socket beneath, that the kernel knows. */
  readonly plain: Known;
  /** Bytes that were sent in the clear. */
  readonly before: number;
  /** When Node last said that the kernel has everything up to a point: that point, in bytes of ours and in bytes of the socket beneath. */
  sure: number;
  sureBeneath: number;
}

/**
 * Bytes of a TLS socket that the kernel took. Node tells only of whole pieces, which may be large; in between the socket beneath shows
 * progress.
 */
function takenSecurely(socket: Socket, { plain, before, sure, sureBeneath }: Secured): number {
  const all = before + socket.bytesWritten;
  if (socket.writableLength === 0) return all;
  return Math.min(all - 1, sure + takenFrom(plain) - sureBeneath);
}

/** How a scheme writes where the two ends are. Written when asked for: an idle connection keeps no such text. */
export interface Places {
  remote(address: string | undefined, port: number | undefined): Remote;
  local(socket: Socket): Remote;
}

/** One Node stream socket as a transport: TCP, a unix socket, or an inherited one, with or without TLS. It must have been made with `allowHalfOpen`. */
export class SocketTransport implements Transport {
  readonly kind = 'stream';
  #socket: Socket;
  readonly #places: Places;
  readonly #address: string | undefined;
  readonly #port: number | undefined;
  #sink: TransportSink | undefined;
  #error: Error | undefined;
  /** Closed before anybody took it over. */
  #closed = false;
  /** The sink knows that it is closed. */
  #closeTold = false;
  /** `write` returned false, and the sink waits for news. */
  #waited = false;
  /** Told of each write; made with the first one. */
  #whenTaken: (() => void) | undefined;
  /** Bytes that the kernel had taken when the socket closed. */
  #written = 0;
  /** Where it was, asked for when its end begins: an open connection keeps no such text. */
  #here: Remote | undefined;
  #paused = false;
  /** A handshake is under way: the socket is not ours. */
  #shaking = false;
  #tls: Secured | undefined;
  /** Where the two ends are, by the word of a proxy. */
  #told: { readonly remote: Remote; readonly local: Remote } | undefined;

  constructor(socket: Socket, places: Places) {
    this.#socket = socket;
    this.#places = places;
    // Asked at once: a socket that the peer has reset knows it no more.
    this.#address = socket.remoteAddress;
    this.#port = socket.remotePort;
    this.#own(socket);
  }

  get raw(): Socket {
    return this.#socket;
  }

  get deliversPieces(): boolean {
    return this.#tls !== undefined;
  }

  get tls(): PeerTls | undefined {
    return this.#tls?.peer;
  }

  get peerAddress(): this {
    return this;
  }

  get address(): string | undefined {
    return this.#told ? this.#told.remote.address : this.#address;
  }

  get remote(): Remote {
    return this.#told?.remote ?? this.#places.remote(this.#address, this.#port);
  }

  get local(): Remote {
    return this.#told?.local ?? this.#here ?? this.#places.local(this.raw);
  }

  get bufferedBytes(): number {
    return this.raw.writableLength;
  }

  get bytesWritten(): number {
    const socket: Known = this.#socket;
    // Between its end and its close the handle is gone already.
    if (!hasHandle(socket)) return this.#written || this.#total;
    return this.#tls ? takenSecurely(socket, this.#tls) : takenFrom(socket);
  }

  unacknowledged(maxAge: number): Promise<number | undefined> {
    return unacknowledgedBytes(this.#socket, maxAge);
  }

  async introduce(): Promise<void> {
    let header: ProxyHeader;
    try {
      header = await readProxyHeader(this.#socket);
    } catch (error) {
      // The error given to `destroy` explains the close; the socket's own error is its consequence.
      const why = this.#error === undefined || this.#error === this.#socket.errored ? error : this.#error;
      this.destroy(asError(why));
      throw why;
    }
    const { client } = header;
    const at = ({ address, port, path }: ProxyPlace): Remote =>
      path === undefined ? this.#places.remote(address, port) : { url: `unix:${path}`, path };
    if (client) this.#told = { remote: at(client.source), local: at(client.destination) };
  }

  open(sink: TransportSink): void {
    this.#sink = sink;
    if (this.#closed) {
      nextTick(() => this.#tellClosed());
      return;
    }
    this.#listen(sink);
  }

  write(chunks: readonly Chunk[]): boolean {
    const socket = this.raw;
    if (!socket.writable) return true;
    const last = chunks.length - 1;
    if (last > 0) socket.cork();
    for (let i = 0; i < last; i++) socket.write(chunks[i]!);
    if (last >= 0) socket.write(chunks[last]!, (this.#whenTaken ??= guard(this, () => this.#taken())));
    if (last > 0) socket.uncork();
    // The kernel usually takes it at once.
    if (socket.writableLength === 0) return true;
    this.#waited = true;
    return false;
  }

  pause(): void {
    this.#paused = true;
    if (!this.#shaking) this.raw.pause();
  }

  resume(): void {
    this.#paused = false;
    if (!this.#shaking) this.raw.resume();
  }

  end(): void {
    // In the middle of a handshake there is no end that the peer would understand.
    if (this.#shaking) this.destroy();
    else this.raw.end();
  }

  destroy(error?: Error): void {
    this.#error ??= error;
    this.#shaking = false;
    this.#remember();
    this.#askPlace();
    // Its 'close' has come before, and the listener of that failed. Right behind destroy() it says so, too, and 'close' is yet to come.
    const wasClosed = this.raw.closed;
    this.raw.destroy();
    if (wasClosed) this.#tellClosed();
  }

  reset(): void {
    if (this.#shaking) {
      this.destroy();
      return;
    }
    this.#remember();
    this.#askPlace();
    resetSocket(this.raw);
  }

  startTls(how: TlsStart): Promise<void> {
    const plain = this.#socket;
    if (this.#tls || this.#shaking) return Promise.reject(new UsageError('the connection speaks TLS already'));
    if (this.#closed) return Promise.reject(this.#error ?? new ConnectionClosedError());
    // Held back while paused: with a sink, everything there arrived before TLS was begun.
    if (this.#sink && plain.readableLength > 0) return Promise.reject(new TlsInjectionError());
    this.#shaking = true;
    const before = plain.bytesWritten;
    plain.off('data', onData).off('end', onEnd).off('close', onClose).pause();
    return new Promise((resolve, reject) => {
      handshake(plain, how, {
        onSecured: socket => {
          if (!this.#shaking) {
            // Destroyed at the last moment.
            socket.destroy();
            reject(this.#error ?? new ConnectionClosedError());
            return;
          }
          const peer = peerTlsOf(socket, how.isServer);
          this.#secure(socket, { peer, plain, before, sure: before, sureBeneath: takenFrom(plain) });
          // Ended in this very turn, a session of TLS 1.3 has no goodbye: to the peer it looks cut off.
          setImmediate(() => {
            if (socket.destroyed) reject(this.#error ?? new ConnectionClosedError());
            else resolve();
          });
        },
        onFailed: error => {
          // The error given to `destroy` meanwhile explains the close.
          const why = this.#shaking ? error : (this.#error ?? error);
          if (this.#shaking) this.#error = error;
          this.#shaking = false;
          if (plain.closed) onClose.call(plain);
          else plain.once('close', onClose);
          reject(why);
        },
      });
    });
  }

  /** Whether the socket can be taken out. Under TLS it cannot: the kernel has only encrypted bytes, the session's keys are in this process. */
  get detachable(): boolean {
    return !this.#tls && !this.#shaking;
  }

  detach(): Detached | undefined {
    const socket = this.#socket;
    this.#remember();
    const handle = takeHandle(socket);
    if (!handle) return undefined;
    return { handle, rest: (socket.read() as Buffer | null) ?? Buffer.alloc(0) };
  }

  #secure(socket: TLSSocket, secured: Secured): void {
    this.#tls = secured;
    this.#socket = socket;
    this.#shaking = false;
    socket.allowHalfOpen = true;
    this.#own(socket);
    if (this.#paused) socket.pause();
    if (this.#sink) this.#listen(this.#sink);
  }

  #own(socket: Socket): void {
    (socket as Known)[TRANSPORT] = this;
    // From the first moment: a reset between accept and takeover must not be an unhandled error.
    socket.on('error', onError);
    socket.on('close', onClose);
  }

  #listen(sink: TransportSink): void {
    this.#sink = sink;
    this.raw.on('data', onData);
    this.raw.on('end', onEnd);
    // A peer that finished right behind its handshake.
    if (this.raw.readableEnded) nextTick(() => sink.ended());
  }

  #taken(): void {
    const secured = this.#tls;
    if (secured) {
      secured.sure = secured.before + this.raw.bytesWritten - this.raw.writableLength;
      secured.sureBeneath = takenFrom(secured.plain);
    }
    if (!this.#waited) return;
    if (this.raw.writableLength === 0) this.#waited = false;
    this.#sink?.drained();
  }

  /** Everything that was ever written. */
  get #total(): number {
    return (this.#tls?.before ?? 0) + this.#socket.bytesWritten;
  }

  #tellClosed(): void {
    const sink = this.#sink;
    this.#closed = true;
    if (!sink || this.#closeTold) return;
    this.#closeTold = true;
    sink.closed(this.#error);
  }

  /** Reads the addresses while the socket is open: Node forgets them when it closes. */
  #askPlace(): void {
    this.#here ??= this.#places.local(this.raw);
  }

  #remember(): void {
    this.#written = this.bytesWritten;
  }

  static data(this: Known, chunk: Buffer): void {
    this[TRANSPORT]!.#sink!.data(chunk);
  }

  static end(this: Known): void {
    this[TRANSPORT]!.#askPlace();
    this[TRANSPORT]!.#sink!.ended();
  }

  static error(this: Known, error: Error): void {
    const transport = this[TRANSPORT]!;
    transport.#error ??= error;
    transport.#remember();
  }

  static close(this: Known): void {
    const transport = this[TRANSPORT]!;
    transport.#closed = true;
    transport.#written ||= transport.#total;
    transport.#tellClosed();
  }
}

const transportOf = (socket: Known): SocketTransport => socket[TRANSPORT]!;
const onData = guardThis(transportOf, SocketTransport.data);
const onEnd = guardThis(transportOf, SocketTransport.end);
const onError = guardThis(transportOf, SocketTransport.error);
const onClose = guardThis(transportOf, SocketTransport.close);
