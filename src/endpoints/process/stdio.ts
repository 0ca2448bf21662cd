import { closeSync, fstatSync, openSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { guard } from '../../guard.js';
import { ConnectError, ListenError } from '../../errors.js';
import type { Chunk } from '../../framing/framing.js';
import type { Acceptor, Bound, EndpointTarget, Remote, Scheme, Transport, TransportSink } from '../endpoint.js';
import { registerScheme } from '../endpoint.js';
import { closeStandardStream } from '../../node-internals.js';
import { PipeWriter } from './pipe-writer.js';
import { aborted } from '../system-errors.js';
import { setImmediate } from '../../system-timers.js';

const STDIN = 0;
const STDOUT = 1;
const PLACE: Remote = Object.freeze({ url: 'stdio:', pid: process.pid });
const IN_USE = 'stdin and stdout have been a connection of this process already';

/** Whether another process sees this descriptor end: it is a pipe or a socket, neither a terminal nor a file. */
function hasOtherEnd(descriptor: number): boolean {
  try {
    const stats = fstatSync(descriptor);
    return stats.isFIFO() || stats.isSocket();
  } catch {
    return false;
  }
}

/** Closes a descriptor of the first three, which libuv never does; what is opened next must not get its number. */
function release(descriptor: number): void {
  if (!hasOtherEnd(descriptor)) return;
  closeSync(descriptor);
  openSync('/dev/null', descriptor === STDIN ? 'r' : 'w');
}

/** This process's stdin and stdout as a transport. */
class StdioTransport implements Transport {
  readonly kind = 'stream';
  readonly remote = PLACE;
  readonly local = PLACE;
  /** A terminal would never finish. */
  readonly needsNoGoodbye = true;
  readonly #stdin: Readable = process.stdin;
  readonly #stdout: Writable = process.stdout;
  readonly #writer: PipeWriter;
  readonly #ends = hasOtherEnd(STDOUT);
  #sink: TransportSink | undefined;
  #error: Error | undefined;
  /** stdin has ended. */
  #heard = false;
  /** stdout has: all is written. */
  #said = false;
  #closed = false;

  constructor() {
    this.#writer = new PipeWriter(this.#stdout, () => this.#sink?.drained());
    // Never taken away: what is logged to a stdout that is gone must not end the process.
    this.#stdin.on(
      'error',
      guard(this, (error: Error) => this.destroy(error)),
    );
    this.#stdout.on(
      'error',
      guard(this, (error: Error) => this.destroy(error)),
    );
  }

  get closed(): boolean {
    return this.#closed;
  }

  get bufferedBytes(): number {
    return this.#closed ? 0 : this.#writer.bufferedBytes;
  }

  get bytesWritten(): number {
    return this.#writer.bytesWritten;
  }

  open(sink: TransportSink): void {
    this.#sink = sink;
    if (this.#closed) return;
    this.#stdin.on(
      'data',
      guard(this, (chunk: Buffer) => {
        if (!this.#closed) sink.data(chunk);
      }),
    );
    this.#stdin.once(
      'end',
      guard(this, () => {
        if (this.#closed) return;
        this.#heard = true;
        sink.ended();
        this.#finish();
      }),
    );
  }

  write(chunks: readonly Chunk[]): boolean {
    return this.#closed || this.#said || this.#writer.write(chunks);
  }

  pause(): void {
    this.#stdin.pause();
  }

  resume(): void {
    if (!this.#closed) this.#stdin.resume();
  }

  end(): void {
    if (this.#closed) return;
    const written = (): void => {
      if (this.#said || this.#closed) return;
      this.#said = true;
      release(STDOUT);
      this.#finish();
    };
    // A terminal and a file do not end with us: others may still write there.
    if (this.#ends) this.#stdout.end(written);
    else this.#stdout.write('', written);
  }

  destroy(error?: Error): void {
    if (this.#closed) return;
    this.#error ??= error;
    this.#close();
  }

  #finish(): void {
    if (this.#heard && this.#said && !this.#closed) this.#close();
  }

  #close(): void {
    this.#closed = true;
    this.#writer.close();
    this.#stdin.destroy();
    release(STDIN);
    if (this.#ends && !this.#said) this.#cutOff();
    setImmediate(() => this.#sink?.closed(this.#error));
  }

  /** Drops output that is not read: it would keep the process from ending, because Node never closes stdout. */
  #cutOff(): void {
    closeStandardStream(this.#stdout as Socket);
    release(STDOUT);
  }
}

/** There is one stdin and one stdout in the life of a process. */
let taken = false;

function take(): StdioTransport | undefined {
  if (taken) return undefined;
  taken = true;
  return new StdioTransport();
}

function listen({ url }: EndpointTarget, acceptor: Acceptor): Promise<Bound> {
  const transport = take();
  if (!transport) return Promise.reject(new ListenError(url, IN_USE));
  acceptor.accept(transport);
  if (transport.closed) return Promise.reject(new ListenError(url, 'its one connection was refused or could not be made'));
  const address = { url: 'stdio:', host: '', port: 0 };
  return Promise.resolve({ address, shared: true, inherited: true, close: () => Promise.resolve() });
}

function connect({ url }: EndpointTarget, signal: AbortSignal): Promise<Transport> {
  if (signal.aborted) return Promise.reject(aborted(url, signal));
  const transport = take();
  return transport ? Promise.resolve(transport) : Promise.reject(new ConnectError(url, 'refused', IN_USE));
}

/**
 * `stdio:`: the standard streams of this process. One connection, there from the beginning; once in the life of a process.
 * The end of stdin is the peer's; when the connection is over, stdout has ended for its reader.
 */
export const stdio: Scheme = {
  name: 'stdio',
  listen,
  connect,
  once: true,
  check: ({ url }) => (url === 'stdio:' ? undefined : "write 'stdio:', and nothing behind it"),
};

registerScheme(stdio);
