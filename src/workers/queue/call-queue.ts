import type { Clock, ClockTimer } from '../../clock.js';
import { deadline } from '../../deadline.js';
import { QueueTimeoutError, WorkerBusyError } from '../../errors.js';
import { limitOf } from '../../units.js';
import type { WorkerSettings } from '../../blueprint/types.js';
import type { Call } from '../call/call.js';
import { isDebugged } from '../process/debugged.js';
import { FairQueue } from './fair-queue.js';
import { List } from './list.js';
import { Ticket } from './ticket.js';
import type { Owner } from '../call/owner.js';
import { callNameOf } from '../call/call-target.js';
import type { CopyToken } from '../call/argument-copies.js';

/** Milliseconds that calls made inside tasks wait where the worker has no `queueTimeout`: nothing else would end that wait. */
const TASK_QUEUE_TIMEOUT = 30_000;
/** Share of `maxQueue` for one connection, where `maxQueuePerCaller` is not set. */
const CONNECTION_SHARE = 0.1;

/** The part of a worker's settings that its queue keeps. */
export interface QueueRules extends Pick<WorkerSettings, 'env' | 'execArgv' | 'runtime'> {
  readonly maxQueue: number;
  /** Bytes of their arguments; 0: no limit. */
  readonly maxQueueBytes: number;
  readonly maxQueuePerCaller: number | undefined;
  readonly queueTimeout: number | undefined;
}

/** The calls of one pool that no process has: admission, order, and time limits of waiting. */
export class CallQueue {
  readonly #queue = new FairQueue<Call>();
  readonly #rules: QueueRules;
  /** Calls wait for processes that a breakpoint may stop: without a limit. */
  readonly #isDebugged: boolean;
  readonly #clock: Clock;
  /** Takes refused or timed-out calls out of the pool's books. */
  readonly #onDismissed: (call: Call) => void;
  /** In order of their end: all that have a limit here have the same one. */
  readonly #tickets = new List<Ticket<Call>>();
  #timer: ClockTimer | undefined;
  /** Bytes of the arguments that wait; one that several calls share counts once. */
  #bytes = 0;
  readonly #copies = new Map<CopyToken, number>();

  constructor(rules: QueueRules, clock: Clock, dismissed: (call: Call) => void) {
    this.#rules = rules;
    this.#isDebugged = isDebugged(rules);
    this.#clock = clock;
    this.#onDismissed = dismissed;
  }

  get size(): number {
    return this.#queue.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** True when {@link take} would give something. */
  get hasReady(): boolean {
    return this.#queue.hasReady;
  }

  /** False: it was refused, and has failed. `parked`: it waits for something else than its turn. */
  enter(call: Call, parked: boolean): boolean {
    const { caller, group } = call;
    if (!this.#admits(call, caller, group)) return false;
    if (parked) this.#queue.park(call, caller, group);
    else this.#queue.push(call, caller, group);
    this.#load(call);
    const timeout = this.#timeoutOf(call.owner);
    if (timeout > 0) this.#issueTicket(call, timeout);
    return true;
  }

  /** The call that it waited for has left. */
  unpark(call: Call): void {
    this.#queue.unpark(call);
  }

  /** Puts a call back that had left: before everything else, and without a limit. */
  giveBack(call: Call): void {
    this.#queue.giveBack(call);
    this.#load(call);
  }

  take(): Call | undefined {
    const call = this.#queue.take();
    if (call) this.#unload(call);
    if (call?.ticket) this.#returnTicket(call);
    return call;
  }

  /** False when it does not wait here. */
  leave(call: Call): boolean {
    if (!this.#queue.delete(call)) return false;
    this.#unload(call);
    if (call.ticket) this.#returnTicket(call);
    return true;
  }

  /** Closes: no more calls are queued. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Fails all that wait. */
  failAll(error: (call: Call) => Error): void {
    for (const call of this.#queue.drain()) {
      this.#unload(call);
      if (call.ticket) this.#returnTicket(call);
      this.#dismiss(call, error(call));
    }
  }

  #admits(call: Call, caller: string, group: string | undefined): boolean {
    const perCaller = this.#perCaller(call.owner);
    if (this.#queue.waiting(caller) >= perCaller) {
      this.#dismiss(call, new WorkerBusyError(callNameOf(call.target, call.key), 'maxQueuePerCaller', perCaller));
      return false;
    }
    const { maxQueue } = this.#rules;
    if (this.#queue.size < limitOf(maxQueue)) return this.#makeRoom(call, caller, group);
    const victim = this.#queue.victim(caller, group);
    if (victim) this.leave(victim);
    const refused = victim ?? call;
    this.#dismiss(refused, new WorkerBusyError(callNameOf(refused.target, refused.key), 'maxQueue', maxQueue));
    return victim !== undefined && this.#makeRoom(call, caller, group);
  }

  /** Refuses calls of the caller that keeps most bytes until this one's argument fits; it alone always does. False: that is the newcomer. */
  #makeRoom(call: Call, caller: string, group: string | undefined): boolean {
    const { maxQueueBytes } = this.#rules;
    const limit = limitOf(maxQueueBytes);
    while (this.#bytes > 0 && this.#bytes + this.#cost(call) > limit) {
      const victim = this.#queue.heaviest(caller, call.weight, group);
      if (victim) this.leave(victim);
      const refused = victim ?? call;
      this.#dismiss(refused, new WorkerBusyError(callNameOf(refused.target, refused.key), 'maxQueueBytes', maxQueueBytes));
      if (!victim) return false;
    }
    return true;
  }

  /** Bytes that would be here with it, and are not. */
  #cost({ token, weight }: Call): number {
    return token !== undefined && this.#copies.has(token) ? 0 : weight;
  }

  #load(call: Call): void {
    const { token } = call;
    this.#bytes += this.#cost(call);
    if (token !== undefined) this.#copies.set(token, (this.#copies.get(token) ?? 0) + 1);
  }

  #unload({ token, weight }: Call): void {
    const others = token === undefined ? 0 : this.#copies.get(token)! - 1;
    if (others > 0) this.#copies.set(token!, others);
    else {
      if (token !== undefined) this.#copies.delete(token);
      this.#bytes -= weight;
    }
  }

  #perCaller({ kind }: Owner): number {
    const { maxQueue, maxQueuePerCaller } = this.#rules;
    if (maxQueuePerCaller !== undefined) return limitOf(maxQueuePerCaller);
    return kind === 'connection' ? Math.max(1, Math.floor(limitOf(maxQueue) * CONNECTION_SHARE)) : Infinity;
  }

  #timeoutOf({ kind }: Owner): number {
    if (this.#isDebugged) return 0;
    return this.#rules.queueTimeout ?? (kind === 'task' ? TASK_QUEUE_TIMEOUT : 0);
  }

  #issueTicket(call: Call, timeout: number): void {
    call.ticket = new Ticket(call, this.#clock.now() + timeout);
    this.#tickets.append(call.ticket);
    this.#timer ??= deadline(this.#clock, timeout, this.#onTime);
  }

  #returnTicket(call: Call): void {
    this.#tickets.remove(call.ticket!);
    call.ticket = undefined;
  }

  /** One timer for all: it goes off when the first one's time may be over. */
  readonly #onTime = (firedAt: number): void => {
    this.#timer = undefined;
    for (let ticket = this.#tickets.head; ticket && ticket.until <= firedAt; ticket = this.#tickets.head) {
      const { call } = ticket;
      this.leave(call);
      this.#dismiss(call, new QueueTimeoutError(callNameOf(call.target, call.key), this.#timeoutOf(call.owner)));
    }
    const first = this.#tickets.head;
    if (first) this.#timer = deadline(this.#clock, Math.max(0, first.until - this.#clock.now()), this.#onTime);
  };

  #dismiss(call: Call, error: Error): void {
    call.holder = undefined;
    call.fail(error);
    this.#onDismissed(call);
  }
}
