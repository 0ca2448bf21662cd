import { ListenError } from '../errors.js';
import type { Chunk } from '../framing/framing.js';
import type { Acceptor, Bound, EndpointTarget, Remote, Scheme, Transport, TransportSink } from './endpoint.js';
import { registerScheme } from './endpoint.js';
import { aborted, connectError } from './system-errors.js';
import { setImmediate } from '../system-timers.js';

/** Bytes between the two ends that do not make the writer wait, like the kernel's buffers between sockets. */
const CAPACITY = 64 * 1024;

/** One direction. Written by one end, read by the other. */
class Lane {
  readonly chunks: Buffer[] = [];
  /** Bytes in #chunks. */
  bytes = 0;
  /** Bytes ever put in. */
  total = 0;
  /** The writer has finished. */
  ended = false;
  /** The reader knows that. */
  endTold = false;
  /** The writer was told to wait. */
  waited = false;

  /** Bytes above CAPACITY: while there are any, the writer waits. */
  get excess(): number {
    return Math.max(0, this.bytes - CAPACITY);
  }

  put(chunk: Chunk): void {
    // A copy, as through the kernel: the writer may go on using its bytes.
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : Buffer.from(chunk);
    this.chunks.push(bytes);
    this.bytes += bytes.length;
    this.total += bytes.length;
  }

  take(): Buffer | undefined {
    const chunk = this.chunks.shift();
    if (chunk) this.bytes -= chunk.length;
    return chunk;
  }

  drop(): void {
    this.chunks.length = 0;
    this.bytes = 0;
  }
}

function systemError(code: 'ECONNRESET' | 'EPIPE' | 'ECONNREFUSED', call: string): Error {
  return Object.assign(new Error(`${call} ${code}`), { code, syscall: call });
}

/** One end of a duplex within this process. Everything arrives in a later turn of the event loop, as from sockets. */
class MemoryTransport implements Transport {
  readonly kind = 'stream';
  readonly local: Remote;
  readonly remote: Remote;
  readonly #in: Lane;
  readonly #out: Lane;
  #other: MemoryTransport | undefined;
  #sink: TransportSink | undefined;
  #paused = false;
  #scheduled = false;
  #closed = false;
  #closeTold = false;
  #error: Error | undefined;

  private constructor(local: Remote, remote: Remote, incoming: Lane, outgoing: Lane) {
    this.local = local;
    this.remote = remote;
    this.#in = incoming;
    this.#out = outgoing;
  }

  static pair(server: Remote, client: Remote): { readonly server: Transport; readonly client: Transport } {
    const up = new Lane();
    const down = new Lane();
    const ends = { server: new MemoryTransport(server, client, up, down), client: new MemoryTransport(client, server, down, up) };
    ends.server.#other = ends.client;
    ends.client.#other = ends.server;
    return ends;
  }

  get bufferedBytes(): number {
    return this.#closed ? 0 : this.#out.excess;
  }

  get bytesWritten(): number {
    return this.#out.total - this.#out.excess;
  }

  open(sink: TransportSink): void {
    this.#sink = sink;
    this.wake();
  }

  write(chunks: readonly Chunk[]): boolean {
    const out = this.#out;
    if (out.ended || this.#closed) return true;
    if (!this.#other) {
      this.#close(systemError('EPIPE', 'write'));
      return true;
    }
    for (const chunk of chunks) out.put(chunk);
    this.#other.wake();
    if (out.excess === 0) return true;
    out.waited = true;
    return false;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.wake();
  }

  end(): void {
    if (this.#closed) return;
    this.#out.ended = true;
    if (this.#other) this.#other.wake();
    else this.#out.endTold = true;
    this.wake();
  }

  destroy(error?: Error): void {
    const other = this.#other;
    this.#close(error);
    if (!other) return;
    other.#other = undefined;
    // Bytes sent before the end still arrive; without an end it is a reset.
    if (!this.#out.ended) other.#close(systemError('ECONNRESET', 'read'));
  }

  reset(): void {
    const other = this.#other;
    this.#close(undefined);
    if (!other) return;
    other.#other = undefined;
    other.#close(systemError('ECONNRESET', 'read'));
  }

  #close(error: Error | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#error = error;
    this.#in.drop();
    this.wake();
  }

  /** Something has happened to it. */
  wake(): void {
    if (this.#scheduled || !this.#sink) return;
    this.#scheduled = true;
    setImmediate(this.#turn);
  }

  /** Delivers to this end, once a turn of the event loop. */
  readonly #turn = (): void => {
    this.#scheduled = false;
    const sink = this.#sink!;
    if (!this.#closed) this.#deliver(sink);
    if (!this.#closed && this.#in.endTold && this.#out.endTold) this.#close(undefined);
    if (this.#closed && !this.#closeTold) {
      this.#closeTold = true;
      sink.closed(this.#error);
    }
  };

  #deliver(sink: TransportSink): void {
    const lane = this.#in;
    while (!this.#paused && !this.#closed) {
      const chunk = lane.take();
      if (!chunk) break;
      sink.data(chunk);
    }
    if (this.#closed) return;
    if (lane.waited && lane.excess === 0) {
      lane.waited = false;
      this.#other?.makeRoom();
    }
    if (lane.ended && !lane.endTold && !this.#paused && lane.chunks.length === 0) {
      lane.endTold = true;
      this.#other?.wake();
      sink.ended();
    }
  }

  /** The other end has read bytes that this end wrote. */
  makeRoom(): void {
    setImmediate(() => {
      if (!this.#closed) this.#sink?.drained();
    });
  }
}

const LISTENERS = new Map<string, Acceptor>();
let clients = 0;

function nameOf(url: string): string {
  return url.replace(/^memory:(\/\/)?/i, '');
}

function listen({ url }: EndpointTarget, acceptor: Acceptor): Promise<Bound> {
  const name = nameOf(url);
  if (LISTENERS.has(name)) return Promise.reject(new ListenError(url, 'something in this process listens there already'));
  LISTENERS.set(name, acceptor);
  const close = (): Promise<void> => {
    if (LISTENERS.get(name) === acceptor) LISTENERS.delete(name);
    return Promise.resolve();
  };
  return Promise.resolve({ address: { url: `memory:${name}`, host: '', port: 0, path: name }, close });
}

function connect({ url }: EndpointTarget, signal: AbortSignal): Promise<Transport> {
  if (signal.aborted) return Promise.reject(aborted(url, signal));
  const name = nameOf(url);
  const acceptor = LISTENERS.get(name);
  if (!acceptor) return Promise.reject(connectError(url, systemError('ECONNREFUSED', 'connect')));
  const { server, client } = MemoryTransport.pair(
    { url: `memory:${name}`, path: name },
    { url: `memory:${name}#${++clients}`, path: `${name}#${clients}` },
  );
  acceptor.accept(server);
  return Promise.resolve(client);
}

/** `memory:name`: both sides in this process, with the back-pressure and half-closing of sockets. For tests. */
export const memory: Scheme = {
  name: 'memory',
  // Connections inside a process never pass a proxy.
  proxied: true,
  listen,
  connect,
  check: ({ url }) => (nameOf(url) === '' ? "it has no name: write 'memory:name'" : undefined),
};

registerScheme(memory);
