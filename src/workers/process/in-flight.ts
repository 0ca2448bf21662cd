import type { Clock } from '../../clock.js';
import { asError, ProtocolError } from '../../errors.js';
import { isSpent } from '../../wire/codec/attachments.js';
import { reuseEncoded } from '../../wire/codec/codec.js';
import { CallFlag, Kind, type CallMeta, type RemoteMeta } from '../../wire/link/protocol.js';
import type { Encoded, Link } from '../../wire/link/types.js';
import type { Call, CallHolder, Due } from '../call/call.js';
import { CallTable } from './call-table.js';
import { CallDeadlines, type WatchedCalls } from './call-deadlines.js';
import { List } from '../queue/list.js';
import { ServiceTime } from '../queue/prefetch.js';
import type { InputStreamHost } from '../call/input-stream.js';
import { needsRemoteMeta } from '../call/remote-meta.js';
import { CreditKind, INITIAL_ROOM, sendCredit, type Room } from '../../wire/link/credit.js';
import { DealingLimit, Delivery, type Receiver } from '../received/delivery.js';
import { unreadOfProcess, type UnreadBytes } from '../received/unread.js';

/** Bytes by which the windows of all streams of one process may grow. */
const MOST_GROWTH = 4 * 1024 * 1024;

/** Those of calls whose time is watched elsewhere. */
const NO_DEADLINES: Pick<CallDeadlines, 'add' | 'stop'> = { add() {}, stop() {} };

/** The process, as its calls in flight see it. */
export interface InFlightHost {
  /** The process is done with the call, whatever became of it. */
  onCallOver(call: Call): void;
  onExpired(call: Call, due: Due): void;
}

export interface InFlightSettings {
  readonly concurrency: number;
  /** Bytes; 0: any. */
  readonly maxMessageSize: number;
}

function tellEvent(call: Call, pair: unknown): Promise<unknown> | undefined {
  if (!Array.isArray(pair) || pair.length !== 2 || typeof pair[0] !== 'string')
    throw new ProtocolError(`an event of call ${call.id} without a name`);
  const [name, payload] = pair as [string, unknown];
  return call.handleEvent(name, payload);
}

/** A call that a dead process may have begun. */
export interface LostCall {
  readonly call: Call;
  readonly started: true | 'maybe';
  /** The call may be tried again. */
  readonly isRepeatable: boolean;
}

/**
 * The calls at one process: its numbers, slots, credits and clocks.
 * A process works first come first served in `concurrency` slots, so that what happens there can be followed from here:
 * the first ones run, the others wait, and when one is done the next one's clock begins.
 */
export class InFlightCalls implements CallHolder, WatchedCalls {
  readonly #link: Link;
  readonly #clock: Clock;
  readonly #host: InFlightHost;
  readonly #concurrency: number;
  readonly #deadlines: Pick<CallDeadlines, 'add' | 'stop'>;
  readonly #isRemote: boolean;
  readonly #serviceTime: ServiceTime;
  readonly #calls = new CallTable();
  readonly #waiting = new List<Call>();
  /** Running ones that wait for calls which they made to other workers. */
  readonly #blocked = new Set<Call>();
  #running = 0;
  /** The time of this burst; -1 between bursts. */
  #now = -1;
  #freed = 0;
  #grown = 0;
  /** Events that their listeners are dealing with. */
  readonly #dealing = new DealingLimit();
  /** Items that the caller has not taken yet. */
  readonly unread: UnreadBytes;
  bursts = 0;
  /** Calls that it has answered. */
  done = 0;
  failed = 0;

  /** @param isRemote another machine's supervisor keeps the time limits, and may have begun all that was sent */
  constructor(
    link: Link,
    clock: Clock,
    { concurrency, maxMessageSize }: InFlightSettings,
    suspect: boolean,
    desk: InFlightHost,
    isRemote = false,
  ) {
    this.#link = link;
    this.#clock = clock;
    this.#concurrency = concurrency;
    this.unread = unreadOfProcess(maxMessageSize);
    this.#host = desk;
    this.#isRemote = isRemote;
    this.#deadlines = isRemote ? NO_DEADLINES : new CallDeadlines(clock, this);
    this.#serviceTime = new ServiceTime(suspect);
  }

  get size(): number {
    return this.#calls.size;
  }

  get running(): number {
    return this.#running;
  }

  /** Calls sent so far. */
  get sent(): number {
    return this.#calls.lastId;
  }

  get freeSlots(): number {
    return this.#concurrency - this.#calls.size;
  }

  /** Calls that may wait at it, going by how quick it was. */
  get window(): number {
    return this.#serviceTime.window;
  }

  get waitsForOthers(): boolean {
    return this.#blocked.size > 0;
  }

  /** A task runs on though its caller gave up. */
  get hasLingering(): boolean {
    for (const call of this.#calls) if (call.isLingering) return true;
    return false;
  }

  /** Its process is being listened to at this moment. */
  get isBursting(): boolean {
    return this.#now >= 0;
  }

  /** The running ones. */
  *callsAhead(): Generator<Call> {
    for (const call of this.#calls) if (call.began >= 0) yield call;
  }

  /** A running call has made a call to another worker, or its last one is over. */
  setBlocked(call: Call, blocked: boolean): void {
    if (!blocked) this.#blocked.delete(call);
    else if (this.holds(call)) this.#blocked.add(call);
  }

  /** Oldest first. */
  calls(): Iterable<Call> {
    return this.#calls;
  }

  holds(call: Call): boolean {
    return this.#calls.get(call.id) === call;
  }

  /** Sends a call. It fails by itself where its value is refused; then the slot stays free. */
  send(call: Call, taskIndex: number, meta: CallMeta | RemoteMeta | undefined): void {
    const id = this.#calls.lastId + 1;
    try {
      this.#write(call, id, taskIndex, meta);
    } catch (error) {
      call.fail(asError(error));
      this.#host.onCallOver(call);
      return;
    }
    call.assignTo(id, this);
    if (this.#calls.size === 0) this.#serviceTime.start(this.#time());
    this.#calls.add(call);
    if (this.#running < this.#concurrency) this.#begin(call);
    else this.#waiting.append(call);
    call.sender?.attach(this.#portOf(id));
  }

  /** The process runs on another machine, which needs more of this call than its input. */
  needsMeta(call: Call): boolean {
    return this.#isRemote && needsRemoteMeta(call);
  }

  /** The call of this number, if it is here. */
  get(id: number): Call | undefined {
    return this.#calls.get(id);
  }

  /** The call of this number; undefined: it is over. Throws for a number that was never given. */
  find(id: number): Call | undefined {
    const call = this.#calls.get(id);
    if (!call && (id === 0 || id > this.#calls.lastId)) throw new ProtocolError(`it speaks of call ${id}, which was never made`);
    return call;
  }

  /** The call of this number, which must not be over. */
  expect(id: number): Call {
    const call = this.#calls.get(id);
    if (!call)
      throw new ProtocolError(
        `it settles call ${id}, which ${id === 0 || id > this.#calls.lastId ? 'was never made' : 'it has settled before'}`,
      );
    return call;
  }

  /** Counts an answer, with its time on the worker's clock. `large`: the encoded input, where its memory is worth having again. */
  onAnswer(microseconds: number, large: Encoded | undefined): void {
    this.done++;
    this.#serviceTime.onAnswer(microseconds / 1000);
    // A process can answer before it has read everything: then the rest of the value is still to be sent.
    if (large !== undefined && this.#link.isFullyWritten) reuseEncoded(large);
  }

  /** The process is done with it: the slot is free, and the next one that waits there begins. */
  release(call: Call): void {
    this.#calls.delete(call);
    this.#grown -= call.grown;
    call.grown = 0;
    // Asked first: to look into an empty Set costs as much as all else here.
    if (this.#blocked.size > 0) this.#blocked.delete(call);
    call.holder = undefined;
    this.#freed++;
    if (call.list === this.#waiting) this.#waiting.remove(call);
    else {
      this.#running--;
      const next = this.#waiting.shift();
      if (next) this.#begin(next);
    }
    this.#host.onCallOver(call);
  }

  /** The moment after which the time of an item counts. */
  now(): number {
    return this.#time();
  }

  /** A burst of messages was handed over. True when it freed a slot. */
  endBurst(): boolean {
    this.bursts++;
    const freed = this.#freed;
    this.#freed = 0;
    if (freed > 0) this.#serviceTime.onFinished(freed, this.#time());
    this.#now = -1;
    return freed > 0;
  }

  cancel(call: Call, leaving = false): void {
    if (!this.holds(call)) return;
    call.cancelled = this.#clock.now();
    call.isSuspected = false;
    this.#link.send(Kind.CANCEL, call.id, leaving ? 2 : 0);
    this.#deadlines.add(call);
  }

  grantCredit(call: Call, of: 'items' | 'events', room: Room): void {
    if (!this.holds(call)) return;
    sendCredit(this.#link, call.id, CreditKind[of], room);
    if (of === 'events') return;
    // Its clock stood still while it had no credit.
    if (call.began >= 0) call.began = this.#clock.now();
    this.#deadlines.add(call);
  }

  growWindow(call: Call, bytes: number): boolean {
    if (!this.holds(call) || this.#grown + bytes > MOST_GROWTH) return false;
    this.#grown += bytes;
    call.grown += bytes;
    return true;
  }

  reportOffence(error: Error): void {
    this.#link.destroy(error);
  }

  /** The way of a call's events to its caller. */
  eventReceiver(call: Call): Receiver {
    return call.receiver(
      () =>
        new Delivery({
          room: INITIAL_ROOM.events,
          limit: this.#dealing,
          handle: pair => tellEvent(call, pair),
          grant: room => this.grantCredit(call, 'events', room),
          reportOffence: error => this.reportOffence(error),
        }),
    );
  }

  /** The clock of a stream runs anew with each item. */
  restartDeadline(call: Call): void {
    this.#deadlines.add(call);
  }

  onExpired(call: Call, due: Due): void {
    if (due === 'soft') {
      call.isSoftAborted = true;
      this.#link.send(Kind.CANCEL, call.id, 1);
      return;
    }
    if (due === 'lingers') call.isLingering = true;
    this.#host.onExpired(call, due);
  }

  /**
   * The process is dead: `mark` is the highest number that it may have begun. Afterwards nothing is left here.
   * A call is known to have begun when it showed signs of life, or when no more of the marked ones are left than there are slots.
   */
  takeAll(mark: number): { again: Call[]; lost: LostCall[] } {
    this.#deadlines.stop();
    const left = [...this.#calls];
    this.#calls.clear();
    this.#blocked.clear();
    const sure = !this.#isRemote && left.filter(call => call.id <= mark).length <= this.#concurrency;
    const again: Call[] = [];
    const lost: LostCall[] = [];
    for (const call of left) {
      if (call.list === this.#waiting) this.#waiting.remove(call);
      const spent = isInputSpent(call);
      if (!call.isSettled && call.id > mark && !call.hasEvidence && !spent) again.push(call);
      else {
        const certain = (sure && call.id <= mark) || (call.hasEvidence && !this.#isRemote);
        lost.push({ call, started: certain ? true : 'maybe', isRepeatable: call.isRepeatable && !spent });
      }
      call.sender?.attach(undefined);
      call.takeBack();
    }
    this.#running = 0;
    return { again, lost };
  }

  #write(call: Call, id: number, taskIndex: number, meta: CallMeta | RemoteMeta | undefined): void {
    const link = this.#link;
    const { kind } = call.target;
    if (meta) link.sendValue(Kind.META, id, 0, meta);
    const arg = kind === 'task' ? taskIndex | (meta ? CallFlag.META : 0) | (call.sender ? CallFlag.SENDS : 0) : kind === 'ask' ? 0 : 1;
    const message = kind === 'task' ? Kind.CALL : Kind.MAIL;
    if (call.isEncoded) link.sendEncoded(message, id, arg, call.input as Encoded);
    else if (call.input === undefined) link.send(message, id, arg);
    else link.sendValue(message, id, arg, call.input);
  }

  #begin(call: Call): void {
    this.#running++;
    call.began = this.#time();
    call.tracing?.began(call.began);
    this.#deadlines.add(call);
  }

  #time(): number {
    // Within a burst one reading serves all; outside of one it must be fresh.
    return this.#now >= 0 ? this.#now : this.#clock.now();
  }

  /** A burst begins: one reading of the clock serves it. */
  beginBurst(): void {
    if (this.#now < 0) this.#now = this.#clock.now();
  }

  #portOf(id: number): InputStreamHost {
    return {
      item: encoded => this.#link.sendEncoded(Kind.ITEM, id, 1, encoded),
      end: () => this.#link.send(Kind.END, id, 1),
    };
  }
}

/** Something in what was sent for the call has been moved away: it cannot be sent again. */
function isInputSpent({ isSettled: settled, isEncoded: encoded, input, sender }: Call): boolean {
  // A settled call has no input any more.
  return (!settled && encoded && isSpent(input as Encoded)) || sender?.isSpent === true;
}
