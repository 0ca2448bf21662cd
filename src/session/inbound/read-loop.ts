import { handlersAreNamed, type AsyncContext } from '../../async-context.js';
import { realClock, type Clock } from '../../clock.js';
import type { Remote, Transport } from '../../endpoints/endpoint.js';
import { DatagramQueue } from './datagram-queue.js';
import { HttpRefusal } from './http-refusal.js';
import { StreamBuffer, type ReceiveBuffer } from './stream-buffer.js';
import { isLoopback, peerGroup } from '../../endpoints/address.js';
import { MessageQueue } from './message-queue.js';
import type { RateLimiter } from './rate-limiter.js';
import type { Settings } from '../settings.js';
import type { Resumable, FlushScheduler } from '../../timing/flush-scheduler.js';
import { DEAR_FROM, loopGate, SLICE } from '../../timing/loop-gate.js';
import { monotonicNow } from '../../system-timers.js';

/** Why no message is asked for. When none of these is set, messages are handled as they come. */
export const PauseReason = {
  /** `@OnConnect` has not settled. */
  OPENING: 1,
  /** `peer.pause()`: not even bytes are read. */
  PAUSED: 2,
  /** Its bytes flow to another peer. */
  PIPED: 4,
  /** The peer reads too slowly what it is sent. */
  CONGESTED: 8,
  /** `rateLimit`. */
  RATE: 16,
  /** The connection is ending: bytes that still arrive are thrown away. */
  DISCARDING: 32,
  /** The class has no `@OnData`. */
  NO_HANDLER: 64,
  /** The connection had its share of this turn. */
  YIELDED: 128,
  /** The peer that its bytes flow to has no room: not even bytes are read. */
  BLOCKED: 256,
  /** STARTTLS: what arrives is not ours yet, or `@OnSecure` has not settled. */
  SECURING: 512,
  /** The connection is on its way to another process: not even bytes are read. */
  MOVING: 1024,
  /** Waits at the gate of the event loop, since its next message may hold the loop for long: not even bytes are read. */
  QUEUED: 2048,
} as const;

/** The read loop's side of its session. */
export interface ReadLoopHost {
  readonly host: { readonly clock: Clock };
  readonly context: AsyncContext;
  /** Another message may be handled now. */
  readonly hasRoom: boolean;
  handle(message: unknown, from: Remote | undefined): void;
  /** The received bytes hold no further whole message; `begun`: they hold the beginning of one. */
  onNoWholeMessage(begun: boolean): void;
  /** The bytes are no messages; `from` where only one of many senders is to blame. */
  onUnreadable(thrown: unknown, from: Remote | undefined): void;
  /** More messages than `rateLimit` allows. */
  onRateExceeded(): void;
  /** A turn's work begins, or is done: what it said leaves in one write. */
  cork(corked: boolean): void;
  /** A wait at the gate of the event loop has begun or ended. */
  reviewClocks(): void;
}

/** Messages handled before other connections get their turn; after SLICE milliseconds it is their turn anyway. */
const SHARE = 128;
/** Whole messages cannot wait in the kernel in parts: so many times the high mark may wait here, as much as a kernel keeps. */
const QUEUE = 4;
/** Messages between two looks at the time. */
const LOOK = 8;
/** For how long a connection that took more than its slice of a turn waits for its turns at the gate, in milliseconds. */
const PROBATION = 10_000;

/**
 * Decides when a message is asked for and when the transport is read.
 * Nothing is decoded ahead, undecoded bytes are bounded by highWaterMark, and no connection takes more than a share of a turn.
 */
export class ReadLoop implements Resumable {
  readonly #host: ReadLoopHost;
  readonly #transport: Transport;
  readonly #turn: FlushScheduler;
  readonly #settings: Settings;
  /** Made when something arrives. */
  #inbound: ReceiveBuffer | undefined;
  readonly #rate: RateLimiter | undefined;
  /** Bits of PauseReason. Only `hold` and `release` change them. */
  #hold = 0;
  /** Messages that may still be handled in this turn. */
  #share = SHARE;
  /** When the share was first looked at; 0: it is new. */
  #since = 0;
  /** A new share comes with the next turn. */
  #renewing = false;
  #pumping = false;
  /** Until when its turns are taken at the gate; 0: it has never held the loop. */
  #probation = 0;
  /** Passes the gate: nothing waits there again before this turn is over. */
  #passing = false;
  /** Milliseconds waited at the gate so far, without the wait that is under way. */
  #waited = 0;
  /** When the wait that is under way began. */
  #queuedAt = 0;
  /** The transport is paused. */
  #stopped = false;
  /** The error that follows all received messages. */
  #failure: Error | undefined;

  constructor(host: ReadLoopHost, transport: Transport, turn: FlushScheduler, settings: Settings, rate: RateLimiter | undefined) {
    this.#host = host;
    this.#transport = transport;
    this.#turn = turn;
    this.#settings = settings;
    this.#rate = rate;
  }

  get context(): AsyncContext {
    return this.#host.context;
  }

  /** Milliseconds that the connection has waited at the gate of the event loop, unread, since it was opened. A clock that a test moves: 0. */
  get waitedAtGate(): number {
    if (!this.isHeld(PauseReason.QUEUED) || this.#host.host.clock !== realClock) return this.#waited;
    return this.#waited + monotonicNow() - this.#queuedAt;
  }

  get inbound(): ReceiveBuffer {
    return (this.#inbound ??= this.#makeInbound());
  }

  isHeld(bits: number): boolean {
    return (this.#hold & bits) !== 0;
  }

  hold(bits: number): void {
    this.#hold |= bits;
    if (this.isHeld(PauseReason.DISCARDING)) this.#inbound?.drop();
    this.updateFlow();
  }

  /** Takes a reason away; if none is left, messages are handled, now or (`soon`) in the next turn. */
  release(bits: number, soon = false): void {
    this.#hold &= ~bits;
    this.updateFlow();
    if (soon) this.#yield();
    else this.pump();
  }

  /** Everything received and not handled yet, taken out; there is room for more then. */
  take(): Buffer {
    const bytes = this.inbound.take();
    this.updateFlow();
    return bytes;
  }

  /** Bytes arrived. */
  data(chunk: Buffer, from?: Remote): void {
    if (this.isHeld(PauseReason.DISCARDING)) return;
    this.inbound.push(chunk, from);
    if (this.#hold !== 0) this.updateFlow();
    // One share for all that a turn brings, not one for each piece.
    else if (this.#transport.deliversPieces) this.#work();
    else if (handlersAreNamed && !from) this.#host.context.runInAsyncScope(this.proceed, this);
    else this.proceed();
  }

  /** Looks again for a message in the received bytes, for cases in which nothing else would start the loop. */
  lookAgain(): void {
    if (!this.#pumping && this.#host.hasRoom) this.#yield();
  }

  /** The peer has finished: what waits for more bytes gets none. */
  onPeerEnd(): void {
    this.#inbound?.onPeerEnd?.();
  }

  /** Behind what has arrived nothing can be read. */
  fail(error: Error): void {
    this.#failure = error;
    this.pump();
  }

  /** A turn's work: as many messages as are there, up to the share. */
  proceed(): void {
    this.#hold &= ~PauseReason.YIELDED;
    this.#share = SHARE;
    this.#since = 0;
    this.#renewing = false;
    this.#work();
  }

  #work(): void {
    this.#host.cork(true);
    this.pump();
    this.#host.cork(false);
  }

  /** Handles messages for as long as nothing is against it. */
  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    const host = this.#host;
    let since = 0;
    while (this.#hold === 0 && host.hasRoom) {
      if (since === 0) {
        if (!this.#passing && this.#isDear()) {
          this.#queue();
          break;
        }
        since = loopGate.begin();
      }
      // One message is enough for a connection that has held the loop to do it again.
      if (this.#passing && monotonicNow() - since > SLICE) this.#share = 0;
      if (this.#share-- <= 0) {
        this.#yield();
        break;
      }
      if (this.#share % LOOK === 0) this.#look();
      let message: unknown;
      try {
        message = this.#next();
      } catch (thrown) {
        // A stream is deaf from here on; behind a bad datagram come others.
        host.onUnreadable(thrown, this.#inbound?.from);
        continue;
      }
      if (message === undefined) {
        this.#share++;
        if (this.#inbound?.isSearching) {
          this.#yield();
          break;
        }
        if (this.#hold === 0 && this.#failure) host.onUnreadable(this.#failure, undefined);
        else if (this.#hold === 0) host.onNoWholeMessage(this.#inbound?.hasBegun === true);
        break;
      }
      host.handle(message, this.inbound.from);
    }
    this.#pumping = false;
    if (since !== 0) this.#account(since);
    this.updateFlow();
  }

  /** Reads the transport or not. */
  updateFlow(): void {
    const weight = this.#inbound?.weight ?? 0;
    // Read again only when all is used up: stopping and starting costs system calls.
    const full =
      this.isHeld(PauseReason.PAUSED | PauseReason.BLOCKED | PauseReason.MOVING | PauseReason.QUEUED) ||
      (this.#stopped ? weight > 0 : weight >= this.#settings.limits.highWaterMark);
    const stop = full && !this.isHeld(PauseReason.DISCARDING);
    if (stop === this.#stopped) return;
    this.#stopped = stop;
    if (stop) this.#transport.pause();
    else this.#transport.resume();
  }

  /** Ends the share when its time is over. */
  #look(): void {
    const now = monotonicNow();
    if (this.#since === 0) this.#since = now;
    else if (now - this.#since > SLICE) this.#share = 0;
    if (this.#transport.deliversPieces) this.#renew();
  }

  #renew(): void {
    if (this.#renewing) return;
    this.#renewing = true;
    this.#turn.proceedLater(this);
  }

  #makeInbound(): ReceiveBuffer {
    const { framing, limits, messageLimit } = this.#settings;
    const limit = messageLimit(framing);
    if (this.#transport.kind === 'stream') {
      const inbound = new StreamBuffer(framing, limit);
      const isLocal = this.#settings.refusesHttp && isLoopback(this.#transport.local.address ?? '');
      if (!isLocal) return inbound;
      return new HttpRefusal(inbound, this.#host.host.clock, late => {
        this.#inbound = inbound;
        if (late) this.lookAgain();
      });
    }
    if (this.#transport.lossless) return new MessageQueue(framing, limit);
    return new DatagramQueue(framing, limit, limits.highWaterMark * QUEUE);
  }

  #next(): unknown {
    if (!this.#inbound) return undefined;
    const rate = this.#rate;
    if (!rate) return this.inbound.next();
    if (rate.isPausing && !rate.canPass(() => this.release(PauseReason.RATE))) {
      this.#hold |= PauseReason.RATE;
      return undefined;
    }
    for (;;) {
      const message = this.inbound.next();
      // Input that a framing passes over, blank lines for instance, counts towards the rate as a message does.
      if ((message === undefined && !this.inbound.hasPassedOver) || rate.take()) return message;
      this.#host.onRateExceeded();
      if (this.isHeld(PauseReason.DISCARDING)) return undefined;
    }
  }

  #yield(): void {
    if (this.isHeld(PauseReason.YIELDED | PauseReason.QUEUED)) return;
    this.#hold |= PauseReason.YIELDED;
    this.#renew();
  }

  /** Whether what has come may hold the loop for long, by its bytes or by the connection's last turns. */
  #isDear(): boolean {
    const size = this.#inbound?.size ?? 0;
    if (size === 0 || this.#probation === 0) return size >= DEAR_FROM;
    if (monotonicNow() < this.#probation) return true;
    this.#probation = 0;
    return size >= DEAR_FROM;
  }

  #queue(): void {
    this.#hold |= PauseReason.QUEUED;
    this.#queuedAt = monotonicNow();
    this.#host.reviewClocks();
    loopGate.enter(peerGroup(this.#transport.remote.address ?? ''), () => this.#host.context.runInAsyncScope(this.#pass, this));
  }

  #pass(): void {
    this.#waited = this.waitedAtGate;
    this.#hold &= ~PauseReason.QUEUED;
    this.#host.reviewClocks();
    this.#passing = true;
    this.#work();
    this.#passing = false;
  }

  /** A turn's work is done. At the gate its time is taken there. */
  #account(since: number): void {
    const isHeld = this.#passing ? loopGate.isHeldSince(since) : loopGate.owes(since);
    if (isHeld) this.#probation = monotonicNow() + PROBATION;
  }
}
