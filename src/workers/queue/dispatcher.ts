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
  onCallSent(member: PooledProcess): void;
  /** Calls wait: start what is missing. */
  grow(): void;
  /** Calls have left. */
  onFewerCalls(): void;
}

/** Which call goes to which process, and when: the queue, the lanes of affinity, the windows of the processes. */
export class Dispatcher implements CallHolder {
  readonly #pool: DispatchHost;
  readonly #worker: WorkerBlueprint;
  readonly #queue: CallQueue;
  readonly #affinities = new AffinityQueues<PooledProcess>();
  /** Calls that one process is given. */
  readonly #mostCalls: number;
  readonly #meta = (call: Call): CallMeta => ({
    caller: call.owner.caller,
    deadline: this.deadlineOf(call),
    attempt: call.attempt,
    carrier: carrierOf(call),
  });
  readonly #remoteMeta = (call: Call): RemoteMeta => remoteMetaOf(call, this.deadlineOf(call), this.#pool.clock.epoch());
  readonly watermark: Watermark;
  #isPaused = false;

  constructor(desk: DispatchHost) {
    this.#pool = desk;
    this.#worker = desk.worker;
    this.#queue = new CallQueue(desk.worker.settings, desk.clock, call => this.#onDismissed(call));
    this.#mostCalls = Math.min(desk.worker.settings.maxTasksPerWorker || LAST_CALL, LAST_CALL);
    this.watermark = new Watermark(desk.worker.settings.maxQueue, desk.worker.settings.maxQueueBytes);
  }

  /** Calls that wait for a process. */
  get queued(): number {
    return this.#queue.size;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** While it is paused every call waits. */
  setPaused(paused: boolean): void {
    this.#isPaused = paused;
    if (!paused) this.dispatch();
  }

  /** To a process at once, or into the queue. */
  place(call: Call): void {
    const affinity = call.options?.affinity;
    if (call.pin) return this.#placePinned(call, call.pin);
    const first = affinity === undefined || this.#affinities.join(call, affinity);
    const home = first && affinity !== undefined ? this.#homeOf(affinity) : undefined;
    if (home) return this.#placeAt(home, call);
    if (first && !this.#queue.hasReady) {
      const member = this.#choose();
      if (member) return this.#sendTo(member, call);
    }
    const waits = this.#wait(call, !first);
    if (!waits) return;
    this.#pool.remote?.onQueued(call);
    this.#spill();
    if (call.parent) this.#refuseCycle(call);
  }

  /** More calls wait than processes of this machine will take soon: other machines take the rest. */
  #spill(): void {
    const { remote } = this.#pool;
    if (!remote || remote.isAlone || this.#isLocalDue(0)) return;
    const member = remote.choose(each => this.#hasFreeSlot(each));
    if (member) this.fill(member);
  }

  /** Calls of one affinity go to one machine, whichever application makes them. */
  #homeOf(affinity: string): PooledProcess | undefined {
    const { remote } = this.#pool;
    return remote?.isAlone ? remote.homeOf(affinity) : undefined;
  }

  #placeAt(member: PooledProcess, call: Call): void {
    if (this.#hasFreeSlot(member)) this.#sendTo(member, call);
    else if (this.#wait(call, true)) member.bound.add(call);
  }

  #placePinned(call: Call, pin: PinnedProcess): void {
    const member = this.#ready().find(ready => ready === pin);
    if (member) this.#placeAt(member, call);
    else call.fail(this.#processGone(pin));
  }

  #wait(call: Call, parked: boolean): boolean {
    call.holder = this;
    const entered = this.#queue.enter(call, parked);
    this.#updateWatermark();
    return entered;
  }

  #updateWatermark(): void {
    this.watermark.setLevel(this.#queue.size, this.#queue.bytes);
  }

  /** The process for the next call: one with a free slot and least to do, else one that is quick enough to have calls wait at it. */
  #choose(): PooledProcess | undefined {
    const { ready } = this.#pool;
    let best: PooledProcess | undefined;
    for (const member of ready) {
      if (this.#hasFreeSlot(member) && !(best && best.inFlight.size <= member.inFlight.size)) best = member;
    }
    const { remote } = this.#pool;
    best ??= remote && !this.#isLocalDue(1) ? remote.choose(member => this.#hasFreeSlot(member)) : undefined;
    if (best) return best;
    for (const member of ready) {
      if (this.#hasRoom(member) && !(best && best.inFlight.size <= member.inFlight.size)) best = member;
    }
    return best ?? remote?.choose(member => this.#hasRoom(member));
  }

  /** All that take calls: of this machine first. */
  #ready(): readonly PooledProcess[] {
    const { ready, remote } = this.#pool;
    return remote ? [...ready, ...remote.ready] : ready;
  }

  /** A process of this machine has a free slot for so many more waiting calls, or will have one soon. */
  #isLocalDue(more: number): boolean {
    const { ready, mayStart } = this.#pool;
    const { maxWorkers, concurrency } = this.#worker.settings;
    if (ready.some(member => this.#hasFreeSlot(member))) return true;
    return mayStart && this.#queue.size + more <= (maxWorkers - ready.length) * concurrency;
  }

  /** Whether the process has a free slot. */
  #hasFreeSlot(member: PooledProcess): boolean {
    return !this.#isPaused && member.state === 'ready' && member.inFlight.freeSlots > 0 && !member.link.congested;
  }

  /** Whether the process has a free slot, or calls may wait at it. */
  #hasRoom(member: PooledProcess): boolean {
    if (this.#isPaused || member.state !== 'ready' || member.link.congested) return false;
    const { freeSlots } = member.inFlight;
    if (member.publicView.host !== 'local' && this.#isLocalDue(0)) return false;
    return freeSlots > 0 || (freeSlots + this.#window(member) > 0 && !this.#anyFree());
  }

  #window(member: PooledProcess): number {
    const { prefetch, maxWorkers } = this.#worker.settings;
    // A task that waits for other workers may wait for long; and what it waits for must not stand behind it.
    if (prefetch === 0 || member.inFlight.waitsForOthers) return 0;
    if (prefetch !== 'auto') return prefetch;
    return this.#pool.ready.length < maxWorkers && member.publicView.host === 'local' ? 0 : member.inFlight.window;
  }

  #anyFree(): boolean {
    for (const member of this.#ready()) if (this.#hasFreeSlot(member)) return true;
    return false;
  }

  #sendTo(member: PooledProcess, call: Call): void {
    if (call.hasAffinityPlace) this.#affinities.setHome(call, member);
    call.tracing?.given(member.id, member.pid);
    member.send(call, member.publicView.host === 'local' ? this.#meta : this.#remoteMeta);
    if (member.inFlight.sent >= this.#mostCalls) member.drain();
    else if (this.#mostCalls < LAST_CALL) this.#pool.onCallSent(member);
  }

  /** Gives a process what it has room for. */
  fill(member: PooledProcess): void {
    while (this.#hasRoom(member)) {
      const call = this.#next(member);
      if (!call) break;
      this.#sendTo(member, call);
    }
    this.#updateWatermark();
    this.#pool.onFewerCalls();
  }

  /** Whose turn it is at this process: what only it may take and what anyone may take alternate. */
  #next(member: PooledProcess): Call | undefined {
    const { bound } = member;
    if (bound.size > 0 && ((member.isBoundTurn = !member.isBoundTurn) || !this.#queue.hasReady)) {
      const [call] = bound;
      bound.delete(call!);
      this.#queue.leave(call!);
      return call;
    }
    return this.#queue.take();
  }

  /** Gives every process what it has room for. */
  dispatch(): void {
    for (const member of [...this.#ready()]) {
      if (!this.#queue.hasReady && member.bound.size === 0) continue;
      this.fill(member);
    }
    this.#pool.grow();
  }

  /** The caller gave up a call that waits here. */
  cancel(call: Call): void {
    this.#queue.leave(call);
    this.#onDismissed(call);
  }

  /** Waiting calls have no credit to give. */
  grantCredit(): void {}

  #onDismissed(call: Call): void {
    call.pin?.bound.delete(call);
    call.holder = undefined;
    this.onCallOver(call);
    this.#updateWatermark();
    this.#pool.onFewerCalls();
  }

  /** The pool is done with the call: the next one of its affinity may go. */
  onCallOver(call: Call): void {
    if (!call.hasAffinityPlace) return;
    const home = this.#affinities.home(call);
    home?.bound.delete(call);
    const next = this.#affinities.leave(call);
    if (!next) return;
    if (home?.state !== 'ready') {
      this.#queue.unpark(next);
      return this.dispatch();
    }
    home.bound.add(next);
    // Within a burst the process is given its next calls at the end of it, and then others have their turn too.
    if (!home.inFlight.isBursting) this.fill(home);
  }

  /** The process takes no more calls: calls bound to it wait for another, or fail. */
  releaseBound(member: PooledProcess): void {
    for (const call of member.bound) {
      if (call.pin === member) {
        this.#queue.leave(call);
        call.fail(this.#processGone(member));
        this.#onDismissed(call);
      } else this.#queue.unpark(call);
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
      this.#queue.giveBack(call);
    }
  }

  /** Closes: no more calls are queued. */
  close(): void {
    this.#queue.close();
    this.watermark.setLevel(0);
  }

  /** Fails all that wait. */
  failAll(error: () => Error): void {
    this.#queue.failAll(error);
  }

  /** When it will be ended, in milliseconds since the epoch; undefined: never. */
  deadlineOf(call: Call): number | undefined {
    const { parent, hard, began } = call;
    const now = this.#pool.clock.now();
    const own = hard > 0 ? Math.round(this.#pool.clock.epoch() + (began < 0 ? now : began) + hard - now) : undefined;
    const inherited = parent ? this.deadlineOf(parent) : call.latest;
    return own === undefined ? inherited : inherited === undefined ? own : Math.min(own, inherited);
  }

  /** The running calls of all processes; undefined where another process may be started. */
  callsAhead(): Iterable<Call> | undefined {
    if (this.#pool.ready.length < this.#worker.settings.maxWorkers) return undefined;
    return this.#ready().flatMap(member => [...member.inFlight.callsAhead()]);
  }

  /** Fails a call made by a task that would have to wait for a call that waits for it. */
  #refuseCycle(call: Call): void {
    const cycle = findCallCycle(call);
    if (!cycle) return;
    const names = [...cycle, call].map(({ target, key }) => `${target.worker.name}${key === undefined ? '' : `[${key}]`}.${target.name}`);
    call.abortWith(new CallCycleError(callNameOf(call.target, this.#pool.key), names));
  }

  #processGone({ pid }: PinnedProcess): WorkerUnavailableError {
    return new WorkerUnavailableError(this.#worker.name, this.#pool.key, `its process ${pid} is gone`);
  }
}
