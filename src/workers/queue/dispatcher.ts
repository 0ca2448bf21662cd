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
  onCallSent(process: PooledProcess): void;
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
      const process = this.#choose();
      if (process) return this.#sendTo(process, call);
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
    const process = remote.choose(each => this.#hasFreeSlot(each));
    if (process) this.fill(process);
  }

  /** Calls of one affinity go to one machine, whichever application makes them. */
  #homeOf(affinity: string): PooledProcess | undefined {
    const { remote } = this.#pool;
    return remote?.isAlone ? remote.homeOf(affinity) : undefined;
  }

  #placeAt(process: PooledProcess, call: Call): void {
    if (this.#hasFreeSlot(process)) this.#sendTo(process, call);
    else if (this.#wait(call, true)) process.bound.add(call);
  }

  #placePinned(call: Call, pin: PinnedProcess): void {
    const process = this.#ready().find(ready => ready === pin);
    if (process) this.#placeAt(process, call);
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
    for (const process of ready) {
      if (this.#hasFreeSlot(process) && !(best && best.inFlight.size <= process.inFlight.size)) best = process;
    }
    const { remote } = this.#pool;
    best ??= remote && !this.#isLocalDue(1) ? remote.choose(process => this.#hasFreeSlot(process)) : undefined;
    if (best) return best;
    for (const process of ready) {
      if (this.#hasRoom(process) && !(best && best.inFlight.size <= process.inFlight.size)) best = process;
    }
    return best ?? remote?.choose(process => this.#hasRoom(process));
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
    if (ready.some(process => this.#hasFreeSlot(process))) return true;
    return mayStart && this.#queue.size + more <= (maxWorkers - ready.length) * concurrency;
  }

  /** Whether the process has a free slot. */
  #hasFreeSlot(process: PooledProcess): boolean {
    return !this.#isPaused && process.state === 'ready' && process.inFlight.freeSlots > 0 && !process.link.isCongested;
  }

  /** Whether the process has a free slot, or calls may wait at it. */
  #hasRoom(process: PooledProcess): boolean {
    if (this.#isPaused || process.state !== 'ready' || process.link.isCongested) return false;
    const { freeSlots } = process.inFlight;
    if (process.publicView.host !== 'local' && this.#isLocalDue(0)) return false;
    return freeSlots > 0 || (freeSlots + this.#window(process) > 0 && !this.#anyFree());
  }

  #window(process: PooledProcess): number {
    const { prefetch, maxWorkers } = this.#worker.settings;
    // A task that waits for other workers may wait for long; and what it waits for must not stand behind it.
    if (prefetch === 0 || process.inFlight.waitsForOthers) return 0;
    if (prefetch !== 'auto') return prefetch;
    return this.#pool.ready.length < maxWorkers && process.publicView.host === 'local' ? 0 : process.inFlight.window;
  }

  #anyFree(): boolean {
    for (const process of this.#ready()) if (this.#hasFreeSlot(process)) return true;
    return false;
  }

  #sendTo(process: PooledProcess, call: Call): void {
    if (call.hasAffinityPlace) this.#affinities.setHome(call, process);
    call.tracing?.given(process.id, process.pid);
    process.send(call, process.publicView.host === 'local' ? this.#meta : this.#remoteMeta);
    if (process.inFlight.sent >= this.#mostCalls) process.drain();
    else if (this.#mostCalls < LAST_CALL) this.#pool.onCallSent(process);
  }

  /** Gives a process what it has room for. */
  fill(process: PooledProcess): void {
    while (this.#hasRoom(process)) {
      const call = this.#next(process);
      if (!call) break;
      this.#sendTo(process, call);
    }
    this.#updateWatermark();
    this.#pool.onFewerCalls();
  }

  /** Whose turn it is at this process: what only it may take and what anyone may take alternate. */
  #next(process: PooledProcess): Call | undefined {
    const { bound } = process;
    if (bound.size > 0 && ((process.isBoundTurn = !process.isBoundTurn) || !this.#queue.hasReady)) {
      const [call] = bound;
      bound.delete(call!);
      this.#queue.leave(call!);
      return call;
    }
    return this.#queue.take();
  }

  /** Gives every process what it has room for. */
  dispatch(): void {
    for (const process of [...this.#ready()]) {
      if (!this.#queue.hasReady && process.bound.size === 0) continue;
      this.fill(process);
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
  releaseBound(process: PooledProcess): void {
    for (const call of process.bound) {
      if (call.pin === process) {
        this.#queue.leave(call);
        call.fail(this.#processGone(process));
        this.#onDismissed(call);
      } else this.#queue.unpark(call);
    }
    process.bound.clear();
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
    return this.#ready().flatMap(process => [...process.inFlight.callsAhead()]);
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
