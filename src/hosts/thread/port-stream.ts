import { Buffer } from 'node:buffer';
import { Duplex } from 'node:stream';
import { types } from 'node:util';
import { receiveMessageOnPort, type MessagePort, type TransferListItem } from 'node:worker_threads';
import { guard } from '../../guard.js';

/** Bytes posted and not acknowledged: beyond them writing waits, as on a socket whose buffer is full. */
const WINDOW = 1024 * 1024;
/** Bytes read after which the other side is told. */
const ACKNOWLEDGE = WINDOW / 4;
/** Chunks from this size on are moved to the other thread; smaller ones are cheaper to copy once more. */
const MOVED = 4 * 1024;

type Callback = (error?: Error | null) => void;

/** Things that travel beside the bytes. */
interface Attached {
  readonly number: number;
  readonly list: readonly unknown[];
}

/** Bytes, a number of bytes that were read, things beside the bytes that follow, or the end. */
type Message = Uint8Array<ArrayBuffer> | number | Attached | null;

/**
 * A stream of bytes over a `MessagePort`: the link between the master and a worker's thread. Each write is one message. It hands its bytes
 * over directly (`Direct` of the wire), and can be read while a task holds the event loop.
 */
export class PortStream extends Duplex {
  readonly #port: MessagePort;
  #take: ((chunk: Buffer) => void) | undefined;
  /** Came before `deliverTo`, or while paused. `undefined`: the end. */
  #waiting: (Buffer | undefined)[] = [];
  #held = false;
  #ended = false;
  /** Bytes posted that the other side has not read. */
  #unread = 0;
  /** Bytes read that the other side has not been told of. */
  #untold = 0;
  /** Things that have come, by number. */
  readonly #lists = new Map<number, readonly unknown[]>();
  #attached = 0;
  /** Posted, and answered when the other side has read enough. */
  #pending: Callback | undefined;
  /** Bytes posted since the beginning. */
  posted = 0;
  /** The other side has said something. */
  heard = false;

  constructor(port: MessagePort) {
    super({ allowHalfOpen: true });
    this.#port = port;
    // Its readable side has only an end, which is seen while it flows.
    super.resume();
    port.on(
      'message',
      guard(this, (message: Message) => this.#received(message)),
    );
    port.on(
      'close',
      guard(this, () => this.#arrived(undefined)),
    );
  }

  deliverTo(take: (chunk: Buffer) => void): void {
    this.#take = take;
    this.#deliver();
  }

  readNow(): void {
    for (let next = receiveMessageOnPort(this.#port); next !== undefined; next = receiveMessageOnPort(this.#port)) {
      this.#received(next.message as Message);
      if (this.destroyed) return;
    }
  }

  /** Moves each object that can be moved; shared memory is shared. */
  attach(list: readonly unknown[]): number {
    const number = ++this.#attached;
    const moved = list.filter(each => !types.isSharedArrayBuffer(each)) as TransferListItem[];
    try {
      this.#port.postMessage({ number, list }, moved);
    } catch {
      // A port that was closed or passed on already: the receiver finds nothing in its place.
      this.#port.postMessage({ number, list: [] });
    }
    return number;
  }

  attached(number: number): readonly unknown[] | undefined {
    const list = this.#lists.get(number);
    this.#lists.delete(number);
    return list;
  }

  /** Posts bytes at once, whatever the other side has read: the last thing that a thread does. */
  writeNow(bytes: Uint8Array): boolean {
    this.#post(bytes);
    return true;
  }

  /** Whether its port keeps the event loop running. */
  ref(): void {
    this.#port.ref();
  }

  unref(): void {
    this.#port.unref();
  }

  override pause(): this {
    this.#held = true;
    return this;
  }

  override resume(): this {
    this.#held = false;
    this.#deliver();
    return this;
  }

  override isPaused(): boolean {
    return this.#held;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, written: Callback): void {
    this.#post(chunk);
    this.#answer(written);
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], written: Callback): void {
    if (chunks.length === 1) this.#post(chunks[0]!.chunk);
    else {
      let length = 0;
      for (const { chunk } of chunks) length += chunk.length;
      const joined = new Uint8Array(length);
      let at = 0;
      for (const { chunk } of chunks) {
        joined.set(chunk, at);
        at += chunk.length;
      }
      this.#send(joined);
    }
    this.#answer(written);
  }

  override _final(done: Callback): void {
    this.#port.postMessage(null);
    done();
  }

  override _destroy(error: Error | null, done: Callback): void {
    const pending = this.#pending;
    this.#pending = undefined;
    this.#port.close();
    pending?.(Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write' }));
    done(error);
  }

  /** A copy of its own: the memory of a chunk is used again. */
  #post(chunk: Uint8Array): void {
    this.#send(new Uint8Array(chunk));
  }

  #send(bytes: Uint8Array<ArrayBuffer>): void {
    this.posted += bytes.length;
    this.#unread += bytes.length;
    if (bytes.length < MOVED) this.#port.postMessage(bytes);
    else this.#port.postMessage(bytes, [bytes.buffer]);
  }

  #answer(written: Callback): void {
    if (this.#unread > WINDOW) this.#pending = written;
    else written();
  }

  #received(message: Message): void {
    this.heard = true;
    if (message === null) this.#arrived(undefined);
    else if (typeof message === 'number') this.#acknowledged(message);
    else if ('list' in message) this.#lists.set(message.number, message.list);
    else this.#arrived(Buffer.from(message.buffer, message.byteOffset, message.byteLength));
  }

  #acknowledged(bytes: number): void {
    this.#unread -= bytes;
    if (this.#unread > WINDOW / 2) return;
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.();
  }

  #arrived(chunk: Buffer | undefined): void {
    if (this.#ended || this.destroyed) return;
    if (chunk === undefined) this.#ended = true;
    if (this.#take && !this.#held && this.#waiting.length === 0) return this.#hand(chunk);
    this.#waiting.push(chunk);
  }

  #deliver(): void {
    while (this.#take && !this.#held && this.#waiting.length > 0 && !this.destroyed) this.#hand(this.#waiting.shift());
  }

  #hand(chunk: Buffer | undefined): void {
    if (chunk === undefined) return void this.push(null);
    this.#untold += chunk.length;
    if (this.#untold >= ACKNOWLEDGE) {
      this.#port.postMessage(this.#untold);
      this.#untold = 0;
    }
    this.#take!(chunk);
  }
}
