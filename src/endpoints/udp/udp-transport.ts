import type { RemoteInfo, Socket } from 'node:dgram';
import { guard, NO_VICTIM } from '../../guard.js';
import { UsageError } from '../../errors.js';
import type { Chunk } from '../../framing/framing.js';
import type { Remote, Transport, TransportSink } from '../endpoint.js';
import { hostAndPort, tcpUrlOf } from '../net/tcp.js';
import { nextTick } from '../../system-timers.js';

/** Bytes that fit into one datagram: 65 535 less the headers, of which IPv6 does not count its own. */
const LONGEST = { udp4: 65_507, udp6: 65_527 } as const;

export interface UdpSocketFacts {
  readonly family: 'udp4' | 'udp6';
  /** Receiver of messages that name none. Undefined: a listening socket. */
  readonly target: Remote | undefined;
  /** The kernel knows the target: it delivers and sends for no other address. */
  readonly connected: boolean;
}

/** Where a datagram of that address comes from. */
export function udpPlace(address: string, port: number): Remote {
  return { url: tcpUrlOf('udp', address, port), address, port };
}

/** One bound datagram socket as a transport of messages. */
export class UdpTransport implements Transport {
  readonly kind = 'message';
  readonly raw: Socket;
  readonly local: Remote;
  readonly remote: Remote;
  readonly longest: number;
  declare readonly shared?: true;
  readonly #connected: boolean;
  #sink: TransportSink | undefined;
  #error: Error | undefined;
  #ending = false;
  #closed = false;
  #told = false;
  #waited = false;
  bufferedBytes = 0;
  bytesWritten = 0;
  /** Datagrams that the kernel has not taken: an empty one counts, too. */
  #queued = 0;
  readonly #whenClosed: Promise<void>;

  constructor(socket: Socket, { family, target, connected }: UdpSocketFacts) {
    this.raw = socket;
    this.#connected = connected;
    this.longest = LONGEST[family];
    const { address, port } = socket.address();
    this.local = udpPlace(address, port);
    this.remote = target ?? { url: 'udp:' };
    if (!target) this.shared = true;
    // An error from one sender's datagram must not end the socket that it shares with others.
    socket.on(
      'message',
      guard(NO_VICTIM, (message: Buffer, { address: host, port: from }: RemoteInfo) => {
        if (!this.#closed) this.#sink?.data(message, udpPlace(host, from));
      }),
    );
    socket.on(
      'error',
      guard(this, (error: Error) => this.destroy(error)),
    );
    this.#whenClosed = new Promise(resolve => {
      socket.once(
        'close',
        guard(NO_VICTIM, () => {
          this.#closed = true;
          resolve();
          this.#tell();
        }),
      );
    });
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** No more is heard; what has been is answered. Resolves when the address is free. */
  retire(): Promise<void> {
    this.raw.removeAllListeners('message');
    if (this.#sink && !this.#closed) this.#sink.ended();
    else this.destroy();
    return this.#whenClosed;
  }

  open(sink: TransportSink): void {
    this.#sink = sink;
    if (this.#closed) nextTick(() => this.#tell());
  }

  write(chunks: readonly Chunk[], to?: Remote): boolean {
    if (this.#closed || this.#ending) return true;
    const message = chunks.map(chunk => (typeof chunk === 'string' ? Buffer.from(chunk) : chunk));
    const bytes = message.reduce((sum, { length }) => sum + length, 0);
    const target = to ?? this.remote;
    this.#queued++;
    this.bufferedBytes += bytes;
    this.#waited = true;
    const sent = guard(NO_VICTIM, (error: Error | null) => this.#sent(error, bytes, target));
    try {
      this.#send(message, target, sent);
    } catch (error) {
      // A sender may well have put port 0 into its datagram: nothing can be sent there.
      nextTick(sent, error);
    }
    return false;
  }

  // Datagrams cannot be left in the kernel: what is read and has no room is lost, as it would be there.
  pause(): void {}
  resume(): void {}

  end(): void {
    if (this.#ending) return;
    this.#ending = true;
    if (this.#queued === 0) this.destroy();
  }

  destroy(error?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#error = error;
    this.raw.close();
  }

  #send(message: readonly Uint8Array[], { address, port, url }: Remote, sent: (error: Error | null) => void): void {
    // Copied: the writer may go on using its bytes, and the kernel takes them later.
    const bytes = Buffer.concat(message);
    if (this.#connected) {
      if (url !== this.remote.url) throw new UsageError(`connected to ${this.remote.url}, it can send nowhere else`);
      this.raw.send(bytes, sent);
      return;
    }
    const where = address !== undefined && port !== undefined ? { host: address, port } : hostAndPort(url);
    if (!where) throw new UsageError(`'${url}' is no address to send to`);
    this.raw.send(bytes, where.port, where.host, sent);
  }

  #sent(error: Error | null, bytes: number, to: Remote): void {
    this.#queued--;
    this.bufferedBytes -= bytes;
    if (!error) this.bytesWritten += bytes;
    if (this.#closed) return;
    if (error && this.#connected && !(error instanceof UsageError)) {
      this.destroy(error);
      return;
    }
    if (error) this.#sink?.undelivered?.(error, to);
    if (this.#waited && !this.#closed) {
      if (this.#queued === 0) this.#waited = false;
      this.#sink?.drained();
    }
    if (this.#ending && this.#queued === 0) this.destroy();
  }

  #tell(): void {
    if (this.#told || !this.#sink) return;
    this.#told = true;
    this.#sink.closed(this.#error);
  }
}
