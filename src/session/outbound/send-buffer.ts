import type { Remote, Transport } from '../../endpoints/endpoint.js';
import { ConnectionClosedError, LimitError } from '../../errors.js';
import type { Chunk } from '../../framing/framing.js';
import type { BufferBudget, Buffering, SharedMessage } from './buffer-budget.js';
import type { ConnectionLimits } from '../limits.js';
import { DrainWaiters } from './drain-waiters.js';
import { SharedQueue } from './shared-queue.js';
import type { Flushable, FlushScheduler } from '../../timing/flush-scheduler.js';

/** The send buffer's side of its session. */
export interface SendBufferHost {
  /** From now on bytes wait to be sent; or none wait any more. */
  onWaiting(waiting: boolean): void;
  /** The kernel took something, and more waits. */
  onProgress(): void;
  /** The buffer rose to highWaterMark, or fell to lowWaterMark. */
  onCongestion(congested: boolean): void;
  /** Too much waits to be sent: by itself, `maxBufferedBytes`, or on all connections, `maxBufferedBytesTotal`, and here is most of it. */
  closeForLimit(limit: 'maxBufferedBytes' | 'maxBufferedBytesTotal', message: string): void;
  /** One message could not be sent; others can. */
  undelivered(error: Error, to: Remote): void;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * The send buffer of one session: bytes pushed in one turn leave in one write, and bytes that the kernel does not take yet are counted.
 * Owned by one session.
 */
export class SendBuffer implements Flushable, Buffering {
  readonly #transport: Transport;
  readonly #host: SendBufferHost;
  readonly #turn: FlushScheduler;
  readonly #limits: ConnectionLimits;
  readonly #budget: BufferBudget;
  budgeted = 0;
  #shared: SharedQueue | undefined;
  /** Pushed in this turn: bytes, with adjacent strings joined; or whole messages. */
  #chunks: (Chunk | readonly Chunk[])[] = [];
  /** Bytes in #chunks; a character counts as a byte, so it may be too small until they are written. */
  #pending = 0;
  /** Open cork(true) calls without their cork(false). While above 0 nothing is flushed. */
  #corks = 0;
  #scheduled = false;
  #waiting = false;
  /** The transport's buffer reached highWaterMark and has not yet fallen to lowWaterMark. */
  #congested = false;
  /** Bytes that push() queued behind an exclusive writer (sendFile, STARTTLS) have reached highWaterMark. */
  #queueFull = false;
  /** The last value given to host.congestion(). */
  #reported = false;
  #closed = false;
  #brokenOff = false;
  /** Promises to settle when all is with the kernel. */
  #waiters: Waiter[] | undefined;
  /** Messages that push() was given while there is an exclusive writer, in order. */
  #queued: Chunk[] | undefined;
  #queuedBytes = 0;
  /** Promises of the exclusive writer, settled when the kernel takes more. */
  #drainWaiters: DrainWaiters | undefined;

  constructor(transport: Transport, host: SendBufferHost, turn: FlushScheduler, limits: ConnectionLimits, budget: BufferBudget) {
    this.#transport = transport;
    this.#host = host;
    this.#turn = turn;
    this.#limits = limits;
    this.#budget = budget;
  }

  /** Bytes said and not yet taken by the kernel. */
  get bytes(): number {
    return this.#pending + this.#queuedBytes + (this.#closed ? 0 : this.#transport.bufferedBytes);
  }

  /** The buffer is at or above highWaterMark. If this is true, `congestion(false)` will follow. */
  get isCongested(): boolean {
    // Bytes of this turn may still go straight to the kernel.
    if (!this.#reported && this.bytes >= this.#limits.highWaterMark) this.flush();
    return this.#reported;
  }

  /** Nothing waits. */
  get isEmpty(): boolean {
    return this.#chunks.length === 0 && this.#queued === undefined && (this.#closed || this.#transport.bufferedBytes === 0);
  }

  /** Holds back writes: all that is pushed between `true` and its `false` leaves in one write. */
  cork(corked: boolean): void {
    this.#corks += corked ? 1 : -1;
    if (this.#corks === 0) this.flush();
  }

  /** A part of an answer has been sent and the rest will not follow. What is sent next supersedes it: then the handler has dealt with it. */
  breakOff(): void {
    this.#brokenOff = true;
  }

  /** The last answer ended before it was whole. */
  get isBrokenOff(): boolean {
    return this.#brokenOff;
  }

  /** Adds bytes to this turn's write. */
  push(encoded: Chunk | readonly Chunk[]): void {
    this.#brokenOff = false;
    if (this.#queued) this.#enqueue(encoded);
    else this.write(encoded);
  }

  /** Adds bytes of the exclusive writer, or of `push` while there is none. */
  write(encoded: Chunk | readonly Chunk[]): void {
    if (this.#closed) return;
    if (typeof encoded === 'string' || encoded instanceof Uint8Array) this.#add(encoded);
    else for (const chunk of encoded) this.#add(chunk);
    this.#schedule();
  }

  /** One whole message, on transports that take several at once. */
  pushMessage(encoded: Chunk | readonly Chunk[]): void {
    if (this.#closed) return;
    this.#chunks.push(encoded);
    if (typeof encoded === 'string' || encoded instanceof Uint8Array) this.#pending += encoded.length;
    else for (const chunk of encoded) this.#pending += chunk.length;
    this.#schedule();
  }

  /** Sends one whole message to one receiver, on transports that delimit messages themselves. */
  sendDatagram(encoded: Chunk | readonly Chunk[], to: Remote | undefined): void {
    if (this.#closed) return;
    const { shared, bufferedBytes } = this.#transport;
    // One peer's limit must not close a socket that others share.
    if (shared && to && bufferedBytes >= this.#limits.maxBufferedBytes) {
      this.#host.undelivered(new LimitError('maxBufferedBytes', this.#tooMuch), to);
      return;
    }
    const whole = typeof encoded === 'string' || encoded instanceof Uint8Array ? [encoded] : encoded;
    this.#afterWrite(this.#transport.write(whole, to));
  }

  /** Writes the pushed bytes to the transport. */
  flush(): void {
    this.#scheduled = false;
    const chunks = this.#chunks;
    if (chunks.length === 0 || this.#closed) return;
    this.#pending = 0;
    // A transport of whole messages has `writeAll`; where bytes are streamed nothing but chunks is put there.
    const taken = this.#transport.lossless ? this.#transport.writeAll!(chunks) : this.#transport.write(chunks as Chunk[]);
    // The array is kept: a connection that answers does so again.
    chunks.length = 0;
    this.#afterWrite(taken);
  }

  /** The transport's word that the kernel took something. */
  onDrained(): void {
    if (this.#closed) return;
    const left = this.#transport.bufferedBytes;
    this.#count(left);
    if (this.#congested && left + this.#pending <= this.#limits.lowWaterMark) {
      this.#congested = false;
      this.#drainWaiters?.resolveAll();
      this.#reviewCongestion();
    }
    if (this.#closed) return;
    if (left > 0) {
      this.#host.onProgress();
      return;
    }
    if (this.#waiting) {
      this.#waiting = false;
      this.#host.onWaiting(false);
    }
    if (this.isEmpty) this.#resolveWaiters();
  }

  /** Resolves when everything said so far is with the kernel. */
  whenEmpty(): Promise<void> {
    this.flush();
    if (this.#closed) return Promise.reject(new ConnectionClosedError());
    if (this.isEmpty) return Promise.resolve();
    return new Promise((resolve, reject) => (this.#waiters ??= []).push({ resolve, reject }));
  }

  /** Makes the caller the exclusive writer: only `write` reaches the peer, and `push` queues. False: there is one already. */
  beginExclusive(): boolean {
    if (this.#queued || this.#closed) return false;
    this.#queued = [];
    return true;
  }

  /**
   * A promise while the kernel's buffer is full, for the exclusive writer. The queue of `push` does not count: it waits for this writer.
   */
  waitForRoom(): Promise<void> | undefined {
    return this.#congested && !this.#closed ? (this.#drainWaiters ??= new DrainWaiters()).wait() : undefined;
  }

  /** Ends exclusive writing: the messages queued by `push` follow. */
  endExclusive(): void {
    const queued = this.#queued;
    if (!queued) return;
    this.#queued = undefined;
    this.#queuedBytes = 0;
    if (queued.length > 0) this.write(queued);
    this.flush();
    this.#queueFull = false;
    this.#reviewCongestion();
    this.onDrained();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#count(0);
    this.#chunks = [];
    this.#pending = 0;
    this.#queued = undefined;
    this.#queuedBytes = 0;
    this.#drainWaiters?.resolveAll();
    const waiters = this.#waiters;
    this.#waiters = undefined;
    for (const { reject } of waiters ?? []) reject(new ConnectionClosedError());
  }

  /** Notes that the last bytes lie in memory that other connections send from, too. Over TLS each has its own, encrypted. */
  noteShared(message: SharedMessage): void {
    const { tls, bytesWritten } = this.#transport;
    if (this.#closed || tls || this.bytes === 0) return;
    (this.#shared ??= new SharedQueue(this.#budget)).add(message, bytesWritten + this.bytes);
  }

  get sharedBytes(): number {
    return this.#shared?.bytes ?? 0;
  }

  evict(message: string): void {
    this.#shared?.releaseUpTo(Infinity);
    this.#host.closeForLimit('maxBufferedBytesTotal', message);
  }

  /** A socket that many peers share is not counted: what is too much there is lost by itself. */
  #count(left: number): void {
    if (this.#transport.shared) return;
    const waiting = left + this.#queuedBytes;
    this.#shared?.releaseUpTo(waiting === 0 ? Infinity : this.#transport.bytesWritten);
    this.#budget.count(this, Math.max(0, waiting - this.sharedBytes));
  }

  #add(chunk: Chunk): void {
    if (chunk.length === 0) return;
    const chunks = this.#chunks;
    const last = chunks.length - 1;
    const before = chunks[last];
    if (typeof chunk === 'string' && typeof before === 'string') chunks[last] = before + chunk;
    else chunks.push(chunk);
    this.#pending += chunk.length;
  }

  #schedule(): void {
    if (this.#pending >= this.#limits.highWaterMark) this.flush();
    else if (this.#corks === 0 && !this.#scheduled && this.#chunks.length > 0) {
      this.#scheduled = true;
      this.#turn.flushLater(this);
    }
  }

  #enqueue(encoded: Chunk | readonly Chunk[]): void {
    const chunks = typeof encoded === 'string' || encoded instanceof Uint8Array ? [encoded] : encoded;
    for (const chunk of chunks) {
      this.#queued!.push(chunk);
      this.#queuedBytes += chunk.length;
    }
    this.#count(this.#transport.bufferedBytes);
    if (this.#closed) return;
    if (this.#queuedBytes > this.#limits.maxBufferedBytes) this.#host.closeForLimit('maxBufferedBytes', this.#tooMuch);
    else if (this.#queuedBytes >= this.#limits.highWaterMark) {
      this.#queueFull = true;
      this.#reviewCongestion();
    }
  }

  #afterWrite(taken: boolean): void {
    if (taken) {
      if (this.#shared) this.#count(0);
      return;
    }
    const left = this.#transport.bufferedBytes;
    if (!this.#waiting) {
      this.#waiting = true;
      this.#host.onWaiting(true);
    }
    if (left + this.#queuedBytes > this.#limits.maxBufferedBytes && !this.#transport.shared)
      this.#host.closeForLimit('maxBufferedBytes', this.#tooMuch);
    else {
      if (!this.#congested && left >= this.#limits.highWaterMark) {
        this.#congested = true;
        this.#reviewCongestion();
      }
      this.#count(left);
    }
  }

  #reviewCongestion(): void {
    const full = this.#congested || this.#queueFull;
    if (full === this.#reported || this.#closed) return;
    this.#reported = full;
    this.#host.onCongestion(full);
  }

  get #tooMuch(): string {
    return `more than ${this.#limits.maxBufferedBytes} bytes wait to be sent`;
  }

  #resolveWaiters(): void {
    const waiters = this.#waiters;
    if (!waiters) return;
    this.#waiters = undefined;
    for (const { resolve } of waiters) resolve();
  }
}
