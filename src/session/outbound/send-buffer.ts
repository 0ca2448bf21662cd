import type { Remote, Transport } from '../../endpoints/endpoint.js';
import { ConnectionClosedError, LimitError } from '../../errors.js';
import type { Chunk } from '../../framing/framing.js';
import type { BufferBudget, Buffering, SharedMessage } from './buffer-budget.js';
import type { ConnectionLimits } from '../limits.js';
import { DrainWaiters } from './drain-waiters.js';
import { SharedQueue } from './shared-queue.js';
import type { Flushable, FlushScheduler } from '../../timing/flush-scheduler.js';

/** What the outbound side tells its session. */
export interface SendBufferHost {
  /** From now on bytes wait to be sent; or none wait any more. */
  waits(waiting: boolean): void;
  /** The kernel took something, and more waits. */
  progressed(): void;
  /** It rose to the high mark, or fell to the low one. */
  congestion(congested: boolean): void;
  /** Too much waits to be sent: by itself, `maxBufferedBytes`, or on all connections, `maxBufferedBytesTotal`, and here is most of it. */
  exceeded(limit: 'maxBufferedBytes' | 'maxBufferedBytesTotal', message: string): void;
  /** One message could not be sent; others can. */
  undelivered(error: Error, to: Remote): void;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * The bytes that are to leave: what one turn says leaves in one write, and what the kernel does not take yet is counted.
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
  /** Said in this turn: bytes, strings next to each other being one; or whole messages. */
  #chunks: (Chunk | readonly Chunk[])[] = [];
  /** Of #chunks; a character counts as a byte, so it may be too small until they are written. */
  #pending = 0;
  /** How many of those who said that they would are not done with what they do. */
  #corks = 0;
  #scheduled = false;
  #waiting = false;
  /** Of what was handed to the kernel, it has left as much as the high mark. */
  #congested = false;
  /** As much waits behind who writes exclusively. */
  #crowded = false;
  /** What the session was told last of the two. */
  #told = false;
  #closed = false;
  #brokenOff = false;
  /** Who wants to know when all is taken. */
  #waiters: Waiter[] | undefined;
  /** While somebody writes exclusively: what others said, in order. */
  #behind: Chunk[] | undefined;
  #behindBytes = 0;
  /** Where who writes exclusively waits. */
  #room: DrainWaiters | undefined;

  constructor(transport: Transport, host: SendBufferHost, turn: FlushScheduler, limits: ConnectionLimits, budget: BufferBudget) {
    this.#transport = transport;
    this.#host = host;
    this.#turn = turn;
    this.#limits = limits;
    this.#budget = budget;
  }

  /** Bytes said and not yet taken by the kernel. */
  get bytes(): number {
    return this.#pending + this.#behindBytes + (this.#closed ? 0 : this.#transport.bufferedBytes);
  }

  /** At or above the high mark. Whoever sees it true can count on `congestion(false)`. */
  get congested(): boolean {
    // What is only said may still find its way into the kernel.
    if (!this.#told && this.bytes >= this.#limits.highWaterMark) this.flush();
    return this.#told;
  }

  /** Nothing waits. */
  get empty(): boolean {
    return this.#chunks.length === 0 && this.#behind === undefined && (this.#closed || this.#transport.bufferedBytes === 0);
  }

  /** What is said until whoever corks it is done leaves in one write then. Each `true` has its `false`. */
  cork(corked: boolean): void {
    this.#corks += corked ? 1 : -1;
    if (this.#corks === 0) this.flush();
  }

  /** A part of an answer has been sent and the rest will not follow. What is sent next supersedes it: then the handler has dealt with it. */
  breakOff(): void {
    this.#brokenOff = true;
  }

  /** The last answer ended before it was whole. */
  get brokenOff(): boolean {
    return this.#brokenOff;
  }

  /** Adds bytes to what this turn says. */
  push(encoded: Chunk | readonly Chunk[]): void {
    this.#brokenOff = false;
    if (this.#behind) this.#queueBehind(encoded);
    else this.write(encoded);
  }

  /** The same for whoever writes exclusively. */
  write(encoded: Chunk | readonly Chunk[]): void {
    if (this.#closed) return;
    if (typeof encoded === 'string' || encoded instanceof Uint8Array) this.#add(encoded);
    else for (const chunk of encoded) this.#add(chunk);
    this.#schedule();
  }

  /** One whole message, on transports that take several at once. */
  message(encoded: Chunk | readonly Chunk[]): void {
    if (this.#closed) return;
    this.#chunks.push(encoded);
    if (typeof encoded === 'string' || encoded instanceof Uint8Array) this.#pending += encoded.length;
    else for (const chunk of encoded) this.#pending += chunk.length;
    this.#schedule();
  }

  /** One whole message for somebody, on transports that delimit messages themselves. */
  datagram(encoded: Chunk | readonly Chunk[], to: Remote | undefined): void {
    if (this.#closed) return;
    const { shared, bufferedBytes } = this.#transport;
    // Nobody may close to the others what they share.
    if (shared && to && bufferedBytes >= this.#limits.maxBufferedBytes) {
      this.#host.undelivered(new LimitError('maxBufferedBytes', this.#tooMuch), to);
      return;
    }
    const whole = typeof encoded === 'string' || encoded instanceof Uint8Array ? [encoded] : encoded;
    this.#wrote(this.#transport.write(whole, to));
  }

  /** Hands what was said to the kernel. */
  flush(): void {
    this.#scheduled = false;
    const chunks = this.#chunks;
    if (chunks.length === 0 || this.#closed) return;
    this.#pending = 0;
    // A transport of whole messages has `writeAll`; where bytes are streamed nothing but chunks is put there.
    const taken = this.#transport.lossless ? this.#transport.writeAll!(chunks) : this.#transport.write(chunks as Chunk[]);
    // The array is kept: a connection that answers does so again.
    chunks.length = 0;
    this.#wrote(taken);
  }

  /** The transport's word that the kernel took something. */
  drained(): void {
    if (this.#closed) return;
    const left = this.#transport.bufferedBytes;
    this.#count(left);
    if (this.#congested && left + this.#pending <= this.#limits.lowWaterMark) {
      this.#congested = false;
      this.#room?.open();
      this.#review();
    }
    if (this.#closed) return;
    if (left > 0) {
      this.#host.progressed();
      return;
    }
    if (this.#waiting) {
      this.#waiting = false;
      this.#host.waits(false);
    }
    if (this.empty) this.#release();
  }

  /** Resolves when everything said so far is with the kernel. */
  whenEmpty(): Promise<void> {
    this.flush();
    if (this.#closed) return Promise.reject(new ConnectionClosedError());
    if (this.empty) return Promise.resolve();
    return new Promise((resolve, reject) => (this.#waiters ??= []).push({ resolve, reject }));
  }

  /** From now on only `write` reaches the peer; what `push` takes waits. False: somebody else has it. */
  seize(): boolean {
    if (this.#behind || this.#closed) return false;
    this.#behind = [];
    return true;
  }

  /** For whoever writes exclusively: a promise while the kernel has too much. What waits behind does not count: it waits for this. */
  room(): Promise<void> | undefined {
    return this.#congested && !this.#closed ? (this.#room ??= new DrainWaiters()).wait() : undefined;
  }

  /** What waited behind follows. */
  yield(): void {
    const behind = this.#behind;
    if (!behind) return;
    this.#behind = undefined;
    this.#behindBytes = 0;
    if (behind.length > 0) this.write(behind);
    this.flush();
    this.#crowded = false;
    this.#review();
    this.drained();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#count(0);
    this.#chunks = [];
    this.#pending = 0;
    this.#behind = undefined;
    this.#behindBytes = 0;
    this.#room?.open();
    const waiters = this.#waiters;
    this.#waiters = undefined;
    for (const { reject } of waiters ?? []) reject(new ConnectionClosedError());
  }

  /** What was said last lies in memory that other connections send from, too. Over TLS each has its own, encrypted. */
  shares(message: SharedMessage): void {
    const { tls, bytesWritten } = this.#transport;
    if (this.#closed || tls || this.bytes === 0) return;
    (this.#shared ??= new SharedQueue(this.#budget)).add(message, bytesWritten + this.bytes);
  }

  get sharedBytes(): number {
    return this.#shared?.bytes ?? 0;
  }

  evict(message: string): void {
    this.#shared?.sent(Infinity);
    this.#host.exceeded('maxBufferedBytesTotal', message);
  }

  /** A socket that many peers share is not counted: what is too much there is lost by itself. */
  #count(left: number): void {
    if (this.#transport.shared) return;
    const waiting = left + this.#behindBytes;
    this.#shared?.sent(waiting === 0 ? Infinity : this.#transport.bytesWritten);
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

  #queueBehind(encoded: Chunk | readonly Chunk[]): void {
    const chunks = typeof encoded === 'string' || encoded instanceof Uint8Array ? [encoded] : encoded;
    for (const chunk of chunks) {
      this.#behind!.push(chunk);
      this.#behindBytes += chunk.length;
    }
    this.#count(this.#transport.bufferedBytes);
    if (this.#closed) return;
    if (this.#behindBytes > this.#limits.maxBufferedBytes) this.#host.exceeded('maxBufferedBytes', this.#tooMuch);
    else if (this.#behindBytes >= this.#limits.highWaterMark) {
      this.#crowded = true;
      this.#review();
    }
  }

  #wrote(taken: boolean): void {
    if (taken) {
      if (this.#shared) this.#count(0);
      return;
    }
    const left = this.#transport.bufferedBytes;
    if (!this.#waiting) {
      this.#waiting = true;
      this.#host.waits(true);
    }
    if (left + this.#behindBytes > this.#limits.maxBufferedBytes && !this.#transport.shared)
      this.#host.exceeded('maxBufferedBytes', this.#tooMuch);
    else {
      if (!this.#congested && left >= this.#limits.highWaterMark) {
        this.#congested = true;
        this.#review();
      }
      this.#count(left);
    }
  }

  #review(): void {
    const full = this.#congested || this.#crowded;
    if (full === this.#told || this.#closed) return;
    this.#told = full;
    this.#host.congestion(full);
  }

  get #tooMuch(): string {
    return `more than ${this.#limits.maxBufferedBytes} bytes wait to be sent`;
  }

  #release(): void {
    const waiters = this.#waiters;
    if (!waiters) return;
    this.#waiters = undefined;
    for (const { resolve } of waiters) resolve();
  }
}
