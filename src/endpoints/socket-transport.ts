import type { Socket } from 'node:net';
import type { Chunk } from '../framing/framing.js';
import type { Remote, Transport, TransportSink } from './endpoint.js';

const TRANSPORT = Symbol('transport');

/** A socket that knows its transport: the listeners are shared functions, and a connection costs no closures. */
interface Known extends Socket {
  [TRANSPORT]?: SocketTransport;
  /** What libuv knows of the stream; not documented, and done without where it is missing. */
  readonly _handle?: { readonly bytesWritten?: number; readonly writeQueueSize?: number } | null;
}

/** How a scheme writes where the two ends are. Written when asked for: an idle connection keeps no such text. */
export interface Places {
  remote(address: string | undefined, port: number | undefined): Remote;
  local(socket: Socket): Remote;
}

/** One Node stream socket as a transport: TCP, a unix socket, or an inherited one. It must have been made with `allowHalfOpen`. */
export class SocketTransport implements Transport {
  readonly kind = 'stream';
  readonly raw: Socket;
  readonly #places: Places;
  readonly #address: string | undefined;
  readonly #port: number | undefined;
  #sink: TransportSink | undefined;
  #error: Error | undefined;
  /** Closed before anybody took it over. */
  #closed = false;
  /** `write` returned false, and the sink waits for news. */
  #waited = false;
  /** What the kernel had taken when the socket closed. */
  #written = 0;

  constructor(socket: Socket, places: Places) {
    this.raw = socket;
    this.#places = places;
    // Asked at once: a socket that the peer has reset knows it no more.
    this.#address = socket.remoteAddress;
    this.#port = socket.remotePort;
    (socket as Known)[TRANSPORT] = this;
    // From the first moment: a reset between accept and takeover must not be an unhandled error.
    socket.on('error', onError);
    socket.on('close', onClose);
  }

  get remote(): Remote {
    return this.#places.remote(this.#address, this.#port);
  }

  get local(): Remote {
    return this.#places.local(this.raw);
  }

  get bufferedBytes(): number {
    return this.raw.writableLength;
  }

  get bytesWritten(): number {
    const { _handle: handle } = this.raw as Known;
    if (!handle) return this.#written;
    const { bytesWritten, writeQueueSize } = handle;
    if (bytesWritten === undefined || writeQueueSize === undefined) return this.raw.bytesWritten - this.raw.writableLength;
    return bytesWritten - writeQueueSize;
  }

  open(sink: TransportSink): void {
    this.#sink = sink;
    if (this.#closed) {
      process.nextTick(() => sink.closed(this.#error));
      return;
    }
    this.raw.on('data', onData);
    this.raw.on('end', onEnd);
  }

  write(chunks: readonly Chunk[]): boolean {
    const socket = this.raw;
    if (!socket.writable) return true;
    const last = chunks.length - 1;
    if (last > 0) socket.cork();
    for (let i = 0; i < last; i++) socket.write(chunks[i]!);
    if (last >= 0) socket.write(chunks[last]!, this.#wrote);
    if (last > 0) socket.uncork();
    // The kernel usually takes it at once.
    if (socket.writableLength === 0) return true;
    this.#waited = true;
    return false;
  }

  pause(): void {
    this.raw.pause();
  }

  resume(): void {
    this.raw.resume();
  }

  end(): void {
    this.raw.end();
  }

  destroy(error?: Error): void {
    this.#error ??= error;
    this.#remember();
    this.raw.destroy();
  }

  readonly #wrote = (): void => {
    if (!this.#waited) return;
    if (this.raw.writableLength === 0) this.#waited = false;
    this.#sink?.drained();
  };

  #remember(): void {
    this.#written = this.bytesWritten;
  }

  static data(this: Known, chunk: Buffer): void {
    this[TRANSPORT]!.#sink!.data(chunk);
  }

  static end(this: Known): void {
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
    transport.#written ||= this.bytesWritten;
    transport.#sink?.closed(transport.#error);
  }
}

const { data: onData, end: onEnd, error: onError, close: onClose } = SocketTransport;
