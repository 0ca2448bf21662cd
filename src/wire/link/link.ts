// Not the globals: a worker's code may replace those. The same goes for the rest of what runs beside it.
import { Buffer } from 'node:buffer';
import type { Duplex } from 'node:stream';
import { guard } from '../../guard.js';
import { ProtocolError } from '../../errors.js';
import { ReceivedBody } from './body.js';
import { hasAttachments, takeAttachments } from '../codec/attachments.js';
import { encodeValue } from '../codec/codec.js';
import { lastBytes, lastWay } from './last-words.js';
import { FrameReader, LARGE, PIECE, PIECE_SIZE, type OnFrame } from './frames.js';
import { Outbox } from './outbox.js';
import { type Slab, TurnBuffer } from './turn-buffer.js';
import type { Direct, Encoded, Link, LinkOptions, LinkReceiver, Sharing } from './types.js';
import { monotonicNow, nextTick, setImmediate } from '../../system-timers.js';

/** Above so many bytes that were not taken by the kernel the link is congested. */
const HIGH_MARK = 256 * 1024;
/**
 * A stream gives as many chunks in one turn as there are, and what a chunk asks for is done before the next one comes. Where they are full
 * and take so many milliseconds, others have their turn.
 */
const FULL = 64 * 1024;
const SLICE = 20;
/** Pieces of a large value are given to the stream while it has fewer bytes than this: other messages wait behind no more. */
const PIECES_AHEAD = 2 * PIECE_SIZE;

/**
 * A link over any duplex stream: a socketpair to a worker process, a pair in memory, later a connection to another machine.
 * The stream belongs to it from now on; `receiver` hears nothing before this function has returned.
 * @example const link = openLink(stream, receiver, { maxMessageSize: 16 * 1024 * 1024 })
 */
export function openLink(stream: Duplex, receiver: LinkReceiver, options: LinkOptions): Link {
  return new StreamLink(stream, receiver, options);
}

function isDirect(stream: Duplex): stream is Duplex & Direct {
  return 'deliverTo' in stream;
}

function isSharing(stream: Duplex): stream is Duplex & Sharing {
  return 'attach' in stream && 'attached' in stream;
}

class StreamLink implements Link {
  readonly #stream: Duplex;
  readonly #receiver: LinkReceiver;
  #limit: number;
  readonly #trusted: boolean;
  /** When the first full chunk of this turn came; 0: none has. */
  #readingSince = 0;
  readonly #turnOver = (): void => {
    this.#readingSince = 0;
    if (this.#stream.isPaused()) this.#stream.resume();
  };
  readonly #frames: FrameReader;
  readonly #sharing: Sharing | undefined;
  readonly #body: ReceivedBody;
  readonly #turn = new TurnBuffer();
  readonly #outbox: Outbox;
  /** ending: no more is accepted, what was accepted leaves. broken: the stream is being destroyed. closed: the receiver was told. */
  #state: 'open' | 'ending' | 'broken' | 'closed' = 'open';
  /** The error that `closed` will be given. */
  #error: Error | undefined;
  /** Writes that the kernel has not taken, oldest first; pieces of large values have no slab. */
  readonly #writing: { readonly slab: Slab | undefined; readonly bytes: Uint8Array; readonly last: Encoded | undefined }[] = [];
  #writingBytes = 0;
  /** Bytes that the stream was ever given. */
  #given = 0;
  /** Where bytes go instead of the stream, once the process ends. */
  #lastWay: ((bytes: Uint8Array) => void) | undefined;
  #congested = false;
  #scheduled = false;
  /** Messages are being handed over. */
  #reading = false;
  /** Inside {@link poll}. */
  #polling = false;
  /** Nothing was written since the last burst came in: the other side may be waiting for just this message. */
  #lone = true;
  /** Messages sent by getters inside a value while it was encoded. */
  #nested: (() => void)[] = [];
  readonly #flushScheduled = (): void => {
    this.#scheduled = false;
    this.flush();
  };
  readonly #onWritten = (): void => this.#written();

  constructor(stream: Duplex, receiver: LinkReceiver, { maxMessageSize, trusted, callsInAnyOrder = false }: LinkOptions) {
    this.#outbox = new Outbox(!callsInAnyOrder);
    this.#stream = stream;
    this.#receiver = receiver;
    this.#limit = maxMessageSize;
    this.#trusted = trusted === true;
    const sharing = (this.#sharing = isSharing(stream) ? stream : undefined);
    this.#body = new ReceivedBody(list => sharing?.attached(list), this.#trusted);
    const onFrame: OnFrame = (kind, id, arg, buf, start, end, owned) => {
      this.#body.show(buf, start, end, owned);
      receiver.onMessage(kind, id, arg, this.#body);
      this.#body.hide();
    };
    this.#frames = new FrameReader(maxMessageSize, onFrame, trusted);
    stream.on(
      'error',
      guard(stream, (error: Error) => this.#break(error)),
    );
    stream.on(
      'close',
      guard(stream, () => this.#close()),
    );
    // The other side is gone. A frame that was cut off is its death, not an offence.
    stream.on(
      'end',
      guard(stream, () => this.#break(undefined)),
    );
    const take = guard(stream, (chunk: Buffer) => this.#read(chunk));
    // In a later turn, as events are: nothing is heard before this function has returned.
    if (isDirect(stream)) setImmediate(() => stream.deliverTo(take));
    else stream.on('data', take);
  }

  get sharesMemory(): boolean {
    return this.#sharing !== undefined;
  }

  get isCongested(): boolean {
    return this.#congested;
  }

  get bufferedBytes(): number {
    return this.#writingBytes + this.#turn.length + this.#outbox.bytes;
  }

  /** Bytes that a call would wait behind. */
  get #backlog(): number {
    return this.#writingBytes + this.#turn.length + (this.#outbox.keepsCalls ? this.#outbox.bytes : 0);
  }

  get isFullyWritten(): boolean {
    return this.#writing.length === 0 && this.#outbox.empty;
  }

  limit(maxMessageSize: number): void {
    this.#limit = maxMessageSize;
  }

  send(kind: number, id: number, arg: number): void {
    this.#send(kind, id, arg, undefined);
  }

  sendEncoded(kind: number, id: number, arg: number, encoded: Encoded): void {
    this.#send(kind, id, arg, encoded);
  }

  sendValue(kind: number, id: number, arg: number, value: unknown, root = 'input'): number {
    if (this.#state !== 'open') return 0;
    if (this.#turn.encoder.busy) return this.#sendCopy(kind, id, arg, encodeValue(value, this.#limit, root, this.sharesMemory));
    try {
      const length = this.#turn.encode(value, this.#limit, root, this.sharesMemory);
      const { attached } = this.#turn;
      if (attached !== undefined) this.#turn.numberAttached(this.#sharing!.attach(attached));
      if (length > PIECE_SIZE || this.#mustWait(kind, id)) this.#outbox.add(kind, id, arg, this.#turn.detach(), true);
      else this.#turn.seal(length, kind, id, arg);
      this.#schedule();
      return length;
    } finally {
      if (this.#nested.length > 0) this.#sendNested();
    }
  }

  flush(): void {
    if (this.#state === 'broken' || this.#state === 'closed' || this.#turn.encoder.busy) return;
    if (this.#outbox.empty) this.#writeTurn();
    else this.#writePieces();
    this.#congested ||= this.#backlog > HIGH_MARK;
    if (this.#state === 'ending' && this.#outbox.empty && !this.#stream.writableEnded) this.#stream.end();
  }

  poll(): void {
    if (this.#state !== 'open' || this.#reading || !isDirect(this.#stream)) return;
    this.#polling = true;
    this.#stream.readNow?.();
    this.#polling = false;
  }

  writeOut(fd: number): void {
    if (this.#state === 'broken' || this.#state === 'closed' || this.#turn.encoder.busy) return;
    const way = lastWay(this.#stream, fd);
    if (way === undefined) return this.flush();
    const tail = lastBytes(
      this.#writing.map(({ bytes }) => bytes),
      this.#given - way.taken,
    );
    let read = tail.every(bytes => way.write(bytes));
    this.#lastWay = bytes => (read &&= way.write(bytes));
    this.#writingBytes = 0;
    if (this.#outbox.empty) this.#writeTurn();
    else this.#writePieces();
    this.#state = 'broken';
  }

  end(): void {
    if (this.#state !== 'open') return;
    this.#state = 'ending';
    this.flush();
  }

  destroy(error?: Error): void {
    this.#break(error);
  }

  #send(kind: number, id: number, arg: number, value: Encoded | undefined): void {
    if (this.#state !== 'open') return;
    if (this.#turn.encoder.busy) return void this.#nested.push(() => this.#send(kind, id, arg, value));
    if (value !== undefined && hasAttachments(value)) this.#attach(value);
    if ((value !== undefined && value.length > PIECE_SIZE) || this.#mustWait(kind, id)) this.#outbox.add(kind, id, arg, value);
    else this.#turn.append(kind, id, arg, value);
    this.#schedule();
  }

  #sendCopy(kind: number, id: number, arg: number, value: Encoded): number {
    this.#send(kind, id, arg, value);
    return value.length;
  }

  #attach(value: Encoded): void {
    new DataView(value.buffer, value.byteOffset).setUint32(1, this.#sharing?.attach(takeAttachments(value)) ?? 0, true);
  }

  #mustWait(kind: number, id: number): boolean {
    return !this.#outbox.empty && this.#outbox.holds(kind, id);
  }

  #sendNested(): void {
    const nested = this.#nested;
    this.#nested = [];
    for (const send of nested) send();
  }

  /**
   * When the first message after a burst is sent, the other side may have nothing else to do: it leaves when the microtasks of this turn
   * are done. Whatever comes after it gathers until the poll phase is over, so that many small reads of other sockets make one write.
   */
  #schedule(): void {
    if (this.#scheduled) return;
    if (!this.#lone) return this.#scheduleAfterPoll();
    this.#lone = false;
    this.#scheduled = true;
    nextTick(this.#flushScheduled);
  }

  #scheduleAfterPoll(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#flushScheduled);
  }

  #writeTurn(): void {
    const chunks = this.#turn.take();
    if (chunks.length === 0) return;
    if (chunks.length === 1) return this.#write(chunks[0]!.bytes, chunks[0]!.slab);
    this.#stream.cork();
    for (const { bytes, slab } of chunks) this.#write(bytes, slab);
    this.#stream.uncork();
  }

  /** This turn's messages, and behind them as much of the waiting ones as the stream should have. */
  #writePieces(): void {
    this.#stream.cork();
    for (
      let head = this.#outbox.head;
      head !== undefined && this.#writingBytes + this.#turn.length < PIECES_AHEAD;
      head = this.#outbox.head
    ) {
      const { kind, id, arg, value, own, sent } = head;
      if (value === undefined || value.length <= PIECE_SIZE) {
        this.#turn.append(kind, id, arg, value);
        this.#outbox.advance(value?.length ?? 0);
        continue;
      }
      const { length } = value;
      if (sent === 0) this.#turn.append(LARGE, id, arg, Buffer.of(kind, length, length >>> 8, length >>> 16, length >>> 24));
      const piece = value.subarray(sent, sent + PIECE_SIZE);
      this.#turn.appendHeader(piece.length, PIECE, 0, 0);
      this.#writeTurn();
      this.#write(piece, undefined, own && sent + piece.length === length ? value : undefined);
      this.#outbox.advance(piece.length);
    }
    this.#writeTurn();
    this.#stream.uncork();
  }

  /** @param last the large value whose last piece this is, where its memory is ours */
  #write(bytes: Uint8Array, slab: Slab | undefined, last?: Encoded): void {
    if (this.#lastWay) return this.#lastWay(bytes);
    this.#writing.push({ slab, bytes, last });
    this.#writingBytes += bytes.length;
    this.#given += bytes.length;
    this.#stream.write(bytes, this.#onWritten);
  }

  /** The oldest write has been taken by the kernel, or will never be. */
  #written(): void {
    const { slab, bytes, last } = this.#writing.shift()!;
    this.#writingBytes -= bytes.length;
    if (slab !== undefined) this.#turn.release(slab);
    if (last !== undefined) this.#turn.reuse(last);
    if (this.#state === 'broken' || this.#state === 'closed') return;
    // In a later turn, so that what comes in meanwhile is read while a large value goes out.
    if (!this.#outbox.empty && this.#writingBytes < PIECES_AHEAD) this.#scheduleAfterPoll();
    if (this.#congested && this.#writing.length === 0 && (this.#outbox.empty || !this.#outbox.keepsCalls)) {
      this.#congested = false;
      this.#guarded(() => this.#receiver.onDrained?.());
    }
  }

  #read(chunk: Buffer): void {
    this.#guarded(() => {
      this.#reading = true;
      try {
        this.#frames.push(chunk);
      } finally {
        this.#reading = false;
      }
      this.#lone = true;
      if (this.#polling) setImmediate(() => this.#guarded(this.#burst));
      else this.#burst();
    });
    if (chunk.length >= FULL && !this.#trusted) this.#slice();
  }

  #slice(): void {
    const now = monotonicNow();
    if (this.#readingSince === 0) {
      this.#readingSince = now;
      setImmediate(this.#turnOver);
    } else if (now - this.#readingSince > SLICE) this.#stream.pause();
  }

  readonly #burst = (): void => {
    if (this.#state === 'open' || this.#state === 'ending') this.#receiver.onBurst?.();
  };

  /** Runs a receiver's code; its exception breaks the link, like garbage. */
  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#break(error instanceof ProtocolError ? error : new ProtocolError('a message could not be handled', { cause: error }));
    }
  }

  #break(error: Error | undefined): void {
    if (this.#state === 'broken' || this.#state === 'closed') return;
    this.#state = 'broken';
    this.#error = error;
    this.#frames.stop();
    this.#outbox.clear();
    this.#stream.destroy();
  }

  #close(): void {
    if (this.#state === 'closed') return;
    this.#break(undefined);
    this.#state = 'closed';
    this.#receiver.onClosed(this.#error);
  }
}
