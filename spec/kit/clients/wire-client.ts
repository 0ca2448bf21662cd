import { schemeNamed, type Transport, type TransportSink } from '../../../src/endpoints/endpoint.js';
import { atEnd } from '../cleanup.js';

interface Waiter {
  readonly test: () => boolean;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** The far end of a connection, byte by byte, on any scheme. It waits for events only, never for time. */
export class WireClient implements TransportSink {
  readonly transport: Transport;
  #chunks: Buffer[] = [];
  #waiters: Waiter[] = [];
  length = 0;
  hasEnded = false;
  isClosed = false;
  error: Error | undefined;

  private constructor(transport: Transport) {
    this.transport = transport;
    transport.open(this);
    atEnd(() => transport.destroy());
  }

  static async connect(url: string, options: Readonly<Record<string, unknown>> = {}): Promise<WireClient> {
    const scheme = schemeNamed(url.slice(0, url.indexOf(':')))!;
    const transport = await scheme.connect!({ url, options }, new AbortController().signal);
    await transport.handshake?.();
    return new WireClient(transport);
  }

  static of(transport: Transport): WireClient {
    return new WireClient(transport);
  }

  data(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.length += chunk.length;
    this.#look();
  }

  ended(): void {
    this.hasEnded = true;
    this.#look();
  }

  drained(): void {
    this.#look();
  }

  closed(error?: Error): void {
    this.isClosed = true;
    this.error = error;
    this.#look();
  }

  get bytes(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  get text(): string {
    return this.bytes.toString();
  }

  /** False: wait for `drained()`. */
  send(...chunks: (string | Uint8Array)[]): boolean {
    return this.transport.write(chunks);
  }

  end(): void {
    this.transport.end();
  }

  destroy(): void {
    this.transport.destroy();
  }

  /** Resolves when the text that arrived is, contains or matches this; rejects with what did arrive when it cannot any more. */
  async reads(what: string | RegExp): Promise<string> {
    await this.when(() => (typeof what === 'string' ? this.text.includes(what) : what.test(this.text)), String(what));
    return this.text;
  }

  /** Resolves with everything that arrived when the other side has finished. */
  async readsAll(): Promise<string> {
    await this.when(() => this.hasEnded || this.isClosed, 'the end');
    return this.text;
  }

  whenClosed(): Promise<void> {
    return this.when(() => this.isClosed, 'the close');
  }

  whenDrained(): Promise<void> {
    return this.when(() => this.transport.bufferedBytes === 0, 'room');
  }

  when(test: () => boolean, what = 'that'): Promise<void> {
    if (test()) return Promise.resolve();
    if (this.isClosed) return Promise.reject(new Error(`${what} did not come; what came: ${JSON.stringify(this.text.slice(0, 500))}`));
    return new Promise((resolve, reject) =>
      this.#waiters.push({
        test,
        resolve,
        reject: () => reject(new Error(`${what} did not come; what came: ${JSON.stringify(this.text.slice(0, 500))}`)),
      }),
    );
  }

  #look(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) {
      if (waiter.test()) waiter.resolve();
      else if (this.isClosed) waiter.reject(new Error());
      else this.#waiters.push(waiter);
    }
  }
}
