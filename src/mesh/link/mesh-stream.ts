import { Buffer } from 'node:buffer';
import { Duplex } from 'node:stream';
import { distance, encodeFrame, following, FrameKind, HEADER, MAX_BODY, type Frame } from './frames.js';
import { Liveness, type Beat } from './liveness.js';
import { SentFrames } from './sent-frames.js';
import { UnsentBytes } from './unsent-bytes.js';
import { Window } from './window.js';

/** Bytes or frames received at which they are confirmed without waiting for the next beat. */
const CONFIRM_BYTES = 32 * 1024;
const CONFIRM_FRAMES = 64;
/** Milliseconds in which a request to send again is not repeated. */
const AGAIN_EVERY = 100;
/** Milliseconds in which such a request is not served again: it is 20 bytes, and its answer may be a whole window. */
const SERVE_AGAIN_EVERY = 50;
/** Unread bytes above which the other side ignores the window: twice that, and a frame of each. */
const MOST_UNREAD = 2 * (Window.most + MAX_BODY);

/** Way out of one stream. */
export interface StreamPort {
  readonly isUp: boolean;
  /** Bytes that one frame may have. */
  readonly maxFrame: number;
  now(): number;
  /** `answered`: the mesh says when there is no receiver. */
  send(frame: Buffer, answered?: boolean): void;
  /** The stream is over, exactly once. `why`: the other side is lost, or broke it off; undefined: we did, or both had finished. */
  onClosed(why: string | undefined): void;
}

export interface StreamOptions {
  /** Name of the link: nothing else has it. */
  readonly label: string;
  /** Beats without a word, while calls are under way, after which the other side is given up. */
  readonly silentAfter: number;
  /** For the side that opens the link: the subject for answers. Sent until something comes back. */
  readonly opening?: Uint8Array | undefined;
}

type Callback = (error?: Error | null) => void;

/**
 * A byte stream over a mesh that may lose what it carries: frames have numbers, what is not confirmed is kept and sent again, duplicates
 * are dropped. At most {@link Window.most} bytes are under way; a reader that pauses withholds confirmation, and so pauses the writer.
 */
export class MeshStream extends Duplex {
  readonly label: string;
  readonly #port: StreamPort;
  readonly #liveness: Liveness;
  readonly #sent = new SentFrames();
  readonly #window = new Window();
  readonly #opening: Uint8Array | undefined;
  /** Number of the last frame sent, of the last one received, and of the last one read. */
  #last = 0;
  #received = 0;
  #read = 0;
  #confirmed = 0;
  #unconfirmedBytes = 0;
  #isOpen: boolean;
  #isFull = false;
  /** Written, and not sent: the window has no room for them. */
  readonly #unsent = new UnsentBytes();
  /** The writer goes on when it is called. */
  #waiting: Callback | undefined;
  #finishing: { readonly seq: number; readonly callback: Callback } | undefined;
  #askedAgainAt = -Infinity;
  #sentAgainAt = -Infinity;
  #isLost: string | undefined;
  /** Calls are under way: signs of life are asked for more often. */
  isBusy = false;

  constructor(port: StreamPort, { label, silentAfter, opening }: StreamOptions) {
    super({ allowHalfOpen: true, readableHighWaterMark: Window.most, writableHighWaterMark: Window.most });
    this.#port = port;
    this.label = label;
    this.#liveness = new Liveness(silentAfter);
    this.#opening = opening;
    this.#isOpen = opening === undefined;
    this.on('error', () => {});
    if (opening) this.#open();
  }

  /** Why the link was lost; undefined: it was not. */
  get lost(): string | undefined {
    return this.#isLost;
  }

  // ── messages of the mesh

  receive({ kind, a, b, body }: Frame): void {
    if (this.destroyed) return;
    this.#isOpen = true;
    this.#liveness.onHeard();
    switch (kind) {
      case FrameKind.DATA:
      case FrameKind.FIN:
        this.#confirm(b);
        return this.#data(kind, a, body);
      case FrameKind.ACK:
        return this.#confirm(b);
      case FrameKind.PING:
        this.#confirm(b);
        this.#port.send(encodeFrame(FrameKind.PONG, this.#last, this.#read));
        return this.#askIfMissing(a);
      case FrameKind.PONG:
        this.#confirm(b);
        return this.#askIfMissing(a);
      case FrameKind.AGAIN:
        this.#confirm(b);
        return this.#sendAgain();
      case FrameKind.RESET:
        return this.#lose(body.toString().slice(0, 1000) || 'it broke off the link');
    }
  }

  /** A ping of ours found no receiver. */
  noReceiver(): void {
    if (!this.destroyed && this.#liveness.onNoReceiver()) this.#lose('it has no connection to the mesh any more');
  }

  /** The mesh can be reached again: what was published meanwhile is lost. */
  resumed(): void {
    this.#liveness.onResumed();
    if (this.#isOpen) this.#ping();
    else this.#open();
    this.#proceed();
  }

  /** Called at every beat while the mesh can be reached. */
  beat(): Beat {
    if (this.destroyed) return 'rest';
    if (!this.#isOpen) this.#open();
    else if (distance(this.#confirmed, this.#read) > 0) this.#acknowledge();
    const verdict = this.#liveness.beat(this.isBusy || this.#sent.size > 0 || !this.#isOpen);
    if (verdict === 'ping' && this.#isOpen) this.#ping();
    return verdict;
  }

  /** The other side is given up. */
  giveUp(why: string): void {
    this.#lose(why);
  }

  // ── the stream

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    this.#unsent.add(chunk);
    this.#waiting = callback;
    this.#proceed();
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], callback: Callback): void {
    for (const { chunk } of chunks) this.#unsent.add(chunk);
    this.#waiting = callback;
    this.#proceed();
  }

  override _final(callback: Callback): void {
    this.#send(FrameKind.FIN);
    // Not finished before it is known to have arrived: the connection may be closed next.
    this.#finishing = { seq: this.#last, callback };
  }

  override _read(): void {
    if (!this.#isFull) return;
    this.#isFull = false;
    this.#read = this.#received;
    this.#acknowledge();
  }

  override _destroy(error: Error | null, callback: Callback): void {
    const isWhole = this.readableEnded && this.writableFinished;
    if (!isWhole && this.#isLost === undefined) this.#port.send(encodeFrame(FrameKind.RESET, 0, 0));
    this.#sent.clear();
    this.#unsent.clear();
    const [waiting, finishing] = [this.#waiting, this.#finishing];
    this.#waiting = this.#finishing = undefined;
    waiting?.(brokenLink());
    finishing?.callback(brokenLink());
    this.#port.onClosed(this.#isLost);
    callback(error);
  }

  #open(): void {
    this.#port.send(encodeFrame(FrameKind.OPEN, 0, 0, this.#opening), true);
    for (const frame of this.#sent) this.#port.send(frame);
  }

  #ping(): void {
    this.#port.send(encodeFrame(FrameKind.PING, this.#last, this.#read), true);
  }

  #send(kind: number, body?: Uint8Array): void {
    this.#last = following(this.#last);
    this.#confirmed = this.#read;
    this.#unconfirmedBytes = 0;
    const frame = encodeFrame(kind, this.#last, this.#read, body);
    this.#sent.add(this.#last, frame, this.#port.now());
    this.#port.send(frame);
  }

  /** Sends what the window has room for, and lets the writer go on when nothing is left. */
  #proceed(): void {
    while (this.#unsent.bytes > 0 && this.#hasRoom) {
      // One turn of a link is several chunks: they leave together as far as they fit into one frame.
      this.#send(FrameKind.DATA, this.#unsent.take(Math.min(MAX_BODY, this.#port.maxFrame - HEADER)));
    }
    if (this.#waiting === undefined || !this.#hasRoom) return;
    const callback = this.#waiting;
    this.#waiting = undefined;
    callback();
  }

  get #hasRoom(): boolean {
    return this.#sent.bytes < this.#window.bytes && this.#port.isUp;
  }

  #confirm(seq: number): void {
    // Numbers that were never sent, or were confirmed before, mean nothing.
    const news = distance(seq, this.#last) < 0 ? undefined : this.#sent.confirm(seq);
    if (!news) return;
    this.#window.onConfirmed(news.bytes, this.#port.now() - news.at);
    this.#proceed();
    if (this.#finishing && this.#sent.size === 0) {
      const { callback } = this.#finishing;
      this.#finishing = undefined;
      callback();
    }
  }

  #data(kind: number, seq: number, body: Buffer): void {
    const ahead = distance(this.#received, seq);
    if (ahead <= 0) return;
    if (ahead > 1) return this.#askAgain();
    this.#received = seq;
    if (kind === FrameKind.FIN) {
      this.#read = seq;
      this.#acknowledge();
      return void this.push(null);
    }
    if (this.readableLength > MOST_UNREAD) return this.#lose('it sent more than it may');
    this.#unconfirmedBytes += body.length;
    if (!this.push(body)) this.#isFull = true;
    if (this.#isFull) return;
    this.#read = seq;
    if (this.#unconfirmedBytes >= CONFIRM_BYTES || distance(this.#confirmed, seq) >= CONFIRM_FRAMES) this.#acknowledge();
  }

  #acknowledge(): void {
    this.#confirmed = this.#read;
    this.#unconfirmedBytes = 0;
    this.#port.send(encodeFrame(FrameKind.ACK, 0, this.#read));
  }

  #askIfMissing(last: number): void {
    if (distance(this.#received, last) > 0) this.#askAgain();
  }

  #askAgain(): void {
    const now = this.#port.now();
    if (now - this.#askedAgainAt < AGAIN_EVERY) return;
    this.#askedAgainAt = now;
    this.#port.send(encodeFrame(FrameKind.AGAIN, 0, this.#received));
  }

  #sendAgain(): void {
    const now = this.#port.now();
    // A repeated request, since frames behind a gap arrived while it was under way.
    if (now - this.#sentAgainAt < SERVE_AGAIN_EVERY) return;
    this.#sentAgainAt = now;
    for (const frame of this.#sent) this.#port.send(frame);
  }

  #lose(why: string): void {
    this.#isLost ??= why;
    this.destroy();
  }
}

function brokenLink(): Error {
  return Object.assign(new Error('the link over the mesh is broken'), { code: 'EPIPE' });
}
