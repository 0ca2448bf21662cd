import type { WorkerBlueprint } from '../../blueprint/types.js';
import type { Clock } from '../../clock.js';
import { CallCycleError, WorkerUnavailableError } from '../../errors.js';
import { LAST_CALL, type CallMeta, type RemoteMeta } from '../../wire/link/protocol.js';
import type { Call, CallHolder, PinnedProcess } from '../call/call.js';
import { Watermark } from './watermark.js';
import { findCallCycle } from './deadlock.js';
import { AffinityQueues } from './affinity.js';
import type { PooledProcess } from '../process/pooled-process.js';
import { callNameOf } from '../call/call-target.js';
import { carrierOf } from '../call/call-tracing.js';
import { remoteMetaOf } from '../call/remote-meta.js';
import type { RemoteCrew } from '../pool/crew-types.js';
import { CallQueue } from './call-queue.js';

/** The pool, as its dispatcher sees it. */
export interface DispatchHost {
  readonly worker: WorkerBlueprint;
  readonly key: string | undefined;
  readonly clock: Clock;
  /** The processes of this machine that take calls. */
  readonly ready: readonly PooledProcess[];
  /** The other machines. */
  readonly remote: RemoteCrew | undefined;
  /** More processes of this machine may serve, soon. */
  readonly mayStart: boolean;
  /** A process that may be given only so many calls was given one. */
  aged(member: PooledProcess): void;
  /** Calls wait: start what is missing. */
  grow(): void;
  /** Calls have left. */
  fewer(): void;
}

/** Which call goes to which process, and when: the queue, the lanes of affinity, the windows of the processes. */
export class Dispatcher implements CallHolder {
  readonly #desk: DispatchHost;
  readonly #worker: WorkerBlueprint;
  readonly #room: CallQueue;
  readonly #lanes = new AffinityQueues<PooledProcess>();
  /** Calls that one process is given. */
  readonly #mostCalls: number;
  readonly #meta = (call: Call): CallMeta => ({
    caller: call.owner.caller,
    deadline: this.deadlineOf(call),
    attempt: call.attempt,
    carrier: carrierOf(call),
  });
  readonly #remoteMeta = (call: Call): RemoteMeta => remoteMetaOf(call, this.deadlineOf(call), this.#desk.clock.epoch());
  readonly gate: Watermark;
  #paused = false;

  constructor(desk: DispatchHost) {
    this.#desk = desk;
    this.#worker = desk.worker;
    this.#room = new CallQueue(desk.worker.settings, desk.clock, call => this.#dismissed(call));
    this.#mostCalls = Math.min(desk.worker.settings.maxTasksPerWorker || LAST_CALL, LAST_CALL);
    this.gate = new Watermark(desk.worker.settings.maxQueue, desk.worker.settings.maxQueueBytes);
  }

  /** Calls that wait for a process. */
  get queued(): number {
    return this.#room.size;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** While it is paused every call waits. */
  pause(paused: boolean): void {
    this.#paused = paused;
    if (!paused) this.dispatch();
  }

  /** To a process at once, or into the queue. */
  place(call: Call): void {
    const affinity = call.options?.affinity;
    if (call.pin) return this.#placePinned(call, call.pin);
    const first = affinity === undefined || this.#lanes.join(call, affinity);
    const home = first && affinity !== undefined ? this.#homeOf(affinity) : undefined;
    if (home) return this.#placeAt(home, call);
    if (first && !this.#room.ready) {
      const member = this.#choose();
      if (member) return this.#give(member, call);
    }
    const waits = this.#wait(call, !first);
    if (!waits) return;
    this.#desk.remote?.queued(call);
    this.#spill();
    if (call.parent) this.#refuseCycle(call);
  }

  /** More calls wait than processes of this machine will take soon: other machines take the rest. */
  #spill(): void {
    const { remote } = this.#desk;
    if (!remote || remote.isAlone || this.#isLocalDue(0)) return;
    const member = remote.choose(each => this.#takes(each));
    if (member) this.room(member);
  }

  /** Calls of one affinity go to one machine, whichever application makes them. */
  #homeOf(affinity: string): PooledProcess | undefined {
    const { remote } = this.#desk;
    return remote?.isAlone ? remote.homeOf(affinity) : undefined;
  }

  #placeAt(member: PooledProcess, call: Call): void {
    if (this.#takes(member)) this.#give(member, call);
    else if (this.#wait(call, true)) member.bound.add(call);
  }

  #placePinned(call: Call, pin: PinnedProcess): void {
    const member = this.#ready().find(ready => ready === pin);
    if (member) this.#placeAt(member, call);
    else call.fail(this.#processGone(pin));
  }

  #wait(call: Call, parked: boolean): boolean {
    call.holder = this;
    const entered = this.#room.enter(call, parked);
    this.#level();
    return entered;
  }

  #level(): void {
    this.gate.level(this.#room.size, this.#room.bytes);
  }

  /** The process for the next call: one with a free slot and least to do, else one that is quick enough to have calls wait at it. */
  #choose(): PooledProcess | undefined {
    const { ready } = this.#desk;
    let best: PooledProcess | undefined;
    for (const member of ready) {
      if (this.#takes(member) && !(best && best.inFlight.size <= member.inFlight.size)) best = member;
    }
    const { remote } = this.#desk;
    best ??= remote && !this.#isLocalDue(1) ? remote.choose(member => this.#takes(member)) : undefined;
    if (best) return best;
    for (const member of ready) {
      if (this.#hasRoom(member) && !(best && best.inFlight.size <= member.inFlight.size)) best = member;
    }
    return best ?? remote?.choose(member => this.#hasRoom(member));
  }

  /** All that take calls: of this machine first. */
  #ready(): readonly PooledProcess[] {
    const { ready, remote } = this.#desk;
    return remote ? [...ready, ...remote.ready] : ready;
  }

  /** A process of this machine has a free slot for so many more waiting calls, or will have one soon. */
  #isLocalDue(more: number): boolean {
    const { ready, mayStart } = this.#desk;
    const { maxWorkers, concurrency } = this.#worker.settings;
    if (ready.some(member => this.#takes(member))) return true;
    return mayStart && this.#room.size + more <= (maxWorkers - ready.length) * concurrency;
  }

  /** Whether the process has a free slot. */
  #takes(member: PooledProcess): boolean {
    return !this.#paused && member.state === 'ready' && member.inFlight.freeSlots > 0 && !member.link.congested;
  }

  /** Whether the process has a free slot, or calls may wait at it. */
  #hasRoom(member: PooledProcess): boolean {
    if (this.#paused || member.state !== 'ready' || member.link.congested) return false;
    const { freeSlots } = member.inFlight;
    if (member.face.host !== 'local' && this.#isLocalDue(0)) return false;
    return freeSlots > 0 || (freeSlots + this.#window(member) > 0 && !this.#anyFree());
  }

  #window(member: PooledProcess): number {
    const { prefetch, maxWorkers } = this.#worker.settings;
    // A task that waits for other workers may wait for long; and what it waits for must not stand behind it.
    if (prefetch === 0 || member.inFlight.waitsForOthers) return 0;
    if (prefetch !== 'auto') return prefetch;
    return this.#desk.ready.length < maxWorkers && member.face.host === 'local' ? 0 : member.inFlight.window;
  }

  #anyFree(): boolean {
    for (const member of this.#ready()) if (this.#takes(member)) return true;
    return false;
  }

  #give(member: PooledProcess, call: Call): void {
    if (call.seated) this.#lanes.settle(call, member);
    call.tracing?.given(member.id, member.pid);
    member.send(call, member.face.host === 'local' ? this.#meta : this.#remoteMeta);
    if (member.inFlight.sent >= this.#mostCalls) member.drain();
    else if (this.#mostCalls < LAST_CALL) this.#desk.aged(member);
  }

  /** Gives a process what it has room for. */
  room(member: PooledProcess): void {
    while (this.#hasRoom(member)) {
      const call = this.#next(member);
      if (!call) break;
      this.#give(member, call);
    }
    this.#level();
    this.#desk.fewer();
  }

  /** Whose turn it is at this process: what only it may take and what anyone may take alternate. */
  #next(member: PooledProcess): Call | undefined {
    const { bound } = member;
    if (bound.size > 0 && ((member.turn = !member.turn) || !this.#room.ready)) {
      const [call] = bound;
      bound.delete(call!);
      this.#room.leave(call!);
      return call;
    }
    return this.#room.take();
  }

  /** Gives every process what it has room for. */
  dispatch(): void {
    for (const member of [...this.#ready()]) {
      if (!this.#room.ready && member.bound.size === 0) continue;
      this.room(member);
    }
    this.#desk.grow();
  }

  /** The caller gave up a call that waits here. */
  withdraw(call: Call): void {
    this.#room.leave(call);
    this.#dismissed(call);
  }

  /** Waiting calls have no credit to give. */
  credit(): void {}

  #dismissed(call: Call): void {
    call.pin?.bound.delete(call);
    call.holder = undefined;
    this.left(call);
    this.#level();
    this.#desk.fewer();
  }

  /** The pool is done with the call: the next one of its affinity may go. */
  left(call: Call): void {
    if (!call.seated) return;
    const home = this.#lanes.home(call);
    home?.bound.delete(call);
    const next = this.#lanes.leave(call);
    if (!next) return;
    if (home?.state !== 'ready') {
      this.#room.unpark(next);
      return this.dispatch();
    }
    home.bound.add(next);
    // Within a burst the process is given its next calls at the end of it, and then others have their turn too.
    if (!home.inFlight.bursting) this.room(home);
  }

  /** The process takes no more calls: calls bound to it wait for another, or fail. */
  unbind(member: PooledProcess): void {
    for (const call of member.bound) {
      if (call.pin === member) {
        this.#room.leave(call);
        call.fail(this.#processGone(member));
        this.#dismissed(call);
      } else this.#room.unpark(call);
    }
    member.bound.clear();
  }

  /** Calls that a dead process did not begin: they go first. */
  giveBack(calls: readonly Call[]): void {
    for (const call of calls) {
      if (call.pin) {
        call.fail(this.#processGone(call.pin));
        continue;
      }
      call.holder = this;
      this.#room.giveBack(call);
    }
  }

  /** Closes: no more calls are queued. */
  close(): void {
    this.#room.close();
    this.gate.level(0);
  }

  /** Fails all that wait. */
  empty(error: () => Error): void {
    this.#room.empty(error);
  }

  /** When it will be ended, in milliseconds since the epoch; undefined: never. */
  deadlineOf(call: Call): number | undefined {
    const { parent, hard, began } = call;
    const now = this.#desk.clock.now();
    const own = hard > 0 ? Math.round(this.#desk.clock.epoch() + (began < 0 ? now : began) + hard - now) : undefined;
    const inherited = parent ? this.deadlineOf(parent) : call.latest;
    return own === undefined ? inherited : inherited === undefined ? own : Math.min(own, inherited);
  }

  /** The running calls of all processes; undefined where another process may be started. */
  ahead(): Iterable<Call> | undefined {
    if (this.#desk.ready.length < this.#worker.settings.maxWorkers) return undefined;
    return this.#ready().flatMap(member => [...member.inFlight.ahead()]);
  }

  /** Fails a call made by a task that would have to wait for a call that waits for it. */
  #refuseCycle(call: Call): void {
    const cycle = findCallCycle(call);
    if (!cycle) return;
    const names = [...cycle, call].map(({ target, key }) => `${target.worker.name}${key === undefined ? '' : `[${key}]`}.${target.name}`);
    call.giveUp(new CallCycleError(callNameOf(call.target, this.#desk.key), names));
  }

  #processGone({ pid }: PinnedProcess): WorkerUnavailableError {
    return new WorkerUnavailableError(this.#worker.name, this.#desk.key, `its process ${pid} is gone`);
  }
}
