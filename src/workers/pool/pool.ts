import { availableParallelism } from 'node:os';
import type { WorkerBlueprint } from '../../blueprint/types.js';
import type { Clock } from '../../clock.js';
import type { WorkerHandle, WorkerStatus } from '../../decorators/worker/worker-types.js';
import {
  AbortError,
  asError,
  BoundaryError,
  ClosingError,
  ProtocolError,
  WorkerNotFoundError,
  WorkerUnavailableError,
} from '../../errors.js';
import { publish } from '../../diagnostics.js';
import type { Host } from '../../hosts/host.js';
import type { BootMessage } from '../../wire/link/protocol.js';
import { crashOutcome } from '../process/exit/crash-outcome.js';
import type { Call } from '../call/call.js';
import { SocketBalancer, type SocketBalancerHost } from '../sockets/socket-balancer.js';
import { Dispatcher, type DispatchHost } from '../queue/dispatcher.js';
import type { ProxyGate } from '../proxy/proxy-gate.js';
import type { PoolListener } from '../sockets/pool-listener-types.js';
import type { PooledProcess } from '../process/pooled-process.js';
import type { Owner } from '../call/owner.js';
import { ShutdownDeadline } from './shutdown-deadline.js';
import type { LostCall } from '../process/in-flight.js';
import { InputStream } from '../call/input-stream.js';
import { ProcessSet, type ProcessSetHost } from './process-set.js';
import { poolRows } from './status-row.js';
import { bootMessage } from './boot-message.js';
import type { Crew, RemoteCrew } from './crew-types.js';
import { processNames } from '../event-names.js';
import { refuses } from './supervisor.js';
import { NestedCalls, type Directory } from '../process/nested-calls.js';

/** The workforce, as a pool sees it. */
export interface PoolHost extends Pick<ProcessSetHost, 'emit' | 'app'> {
  readonly clock: Clock;
  readonly host: Host;
  readonly directory: Directory;
  /** The level of the application's logger: pino's number. */
  readonly logLevel?: (() => number) | undefined;
  /** Whose calls are taken while the application closes. */
  admits(owner: Owner): boolean;
  /** Names and tasks of the other workers, for BOOT. */
  others(): BootMessage['workers'];
  onUnsolicited(process: PooledProcess, value: unknown): Promise<void> | void;
  /** Makes the listener of its workers' connections. */
  listenerFor?(pool: Pool): PoolListener | undefined;
  /** Its part on other machines. */
  remote?(pool: Pool): RemoteCrew | undefined;
  /** Where calls go that are made in the task of this one, if not to this application's workers. */
  readonly directoryOf?: ((parent: Call) => Directory | undefined) | undefined;
}

/** All processes of one (worker, key), and the calls that wait for them. */
export class Pool implements ProcessSetHost, DispatchHost, SocketBalancerHost {
  readonly app: string;
  readonly worker: WorkerBlueprint;
  readonly key: string | undefined;
  readonly options: unknown;
  readonly handle: WorkerHandle;
  readonly clock: Clock;
  readonly processors = availableParallelism();
  readonly host: Host;
  readonly processSet: ProcessSet;
  /** Its part on other machines; undefined where all its processes are here. */
  readonly remote: RemoteCrew | undefined;
  readonly gate: ProxyGate | undefined;
  /** Sockets for its processes. */
  readonly socketBalancer: SocketBalancer;
  /** Listens for its worker's connections; undefined where that has none. */
  readonly poolListener: PoolListener | undefined;
  readonly #workforce: PoolHost;
  readonly dispatcher: Dispatcher;
  readonly #shutdownDeadline: ShutdownDeadline;
  readonly #idleWaiters: (() => void)[] = [];
  #stopping: Promise<readonly number[]> | undefined;
  #isLeaving = false;
  #hasStopped = false;
  /** Calls of processes that have ended. Counted before the end is told: no listener of that sees the sums fall. */
  readonly countsOfEnded = { done: 0, failed: 0 };
  /** Calls that its end cut off. */
  cutOff = 0;

  constructor(worker: WorkerBlueprint, key: string | undefined, options: unknown, desk: PoolHost, gate?: ProxyGate) {
    this.app = desk.app;
    this.worker = worker;
    this.key = key;
    this.options = options;
    this.#workforce = desk;
    this.gate = gate;
    this.clock = desk.clock;
    this.#shutdownDeadline = new ShutdownDeadline(desk.clock);
    this.host = desk.host;
    const state = (): WorkerHandle['state'] => this.#state;
    this.handle = {
      name: worker.name,
      key,
      get state() {
        return state();
      },
    };
    this.processSet = new ProcessSet(this);
    this.dispatcher = new Dispatcher(this);
    this.socketBalancer = new SocketBalancer(this);
    this.poolListener = desk.listenerFor?.(this);
    this.remote = desk.remote?.(this);
  }

  // ── calls

  /** Takes a call: it goes to a process at once, or waits for one, or fails. Never throws. */
  submit(call: Call, input: unknown): void {
    const refusal = this.refusal(call);
    if (refusal) return void call.fail(refusal);
    try {
      this.#prepare(call, input);
      call.register();
    } catch (error) {
      return void call.fail(asError(error));
    }
    this.#place(call);
  }

  /** Takes a call whose input is encoded already. Never throws. */
  submitEncoded(call: Call): void {
    const refusal = this.refusal(call);
    if (refusal) return void call.fail(refusal);
    call.register();
    this.#place(call);
  }

  #place(call: Call): void {
    this.dispatcher.place(call);
    this.processSet.grow();
  }

  /** The reason why any call of this kind is refused at this moment. */
  refusal(call: Call): Error | undefined {
    const { name } = this.worker;
    if (!call.isAdmitted && !this.#workforce.admits(call.owner)) return new ClosingError();
    // Admitted calls, and the proxy's own, may still be made while it stops.
    if (this.processSet.isStopping || (this.#isLeaving && !call.isAdmitted && !call.owner.isAllowedWhileClosing)) {
      return new WorkerNotFoundError(name, this.key, this.#hasStopped ? 'it was stopped' : 'it is being stopped');
    }
    const signal = call.options?.signal;
    if (signal?.aborted) return new AbortError(signal.reason);
    const { processSet, remote } = this;
    if (!remote && processSet.starts.isBreakerOpen && refuses(processSet.starts, processSet.counts, this.clock.now()))
      return this.#unavailable();
    return undefined;
  }

  #prepare(call: Call, input: unknown): void {
    const { task, name } = call.target;
    const { maxMessageSize, validate } = this.worker.settings;
    if (validate === 'both' && task?.input) {
      const verdict = task.input(input);
      if (verdict.issues) throw new BoundaryError({ worker: this.worker.name, task: name, direction: 'input', ...verdict });
    }
    const shares = this.host.sharesMemory === true && !this.remote;
    call.encode(input, shares);
    const send = call.options?.send;
    if (send && task?.receives) call.sender = new InputStream(send, maxMessageSize, error => call.abortWith(error), shares);
  }

  // ── processes

  bootMessage(): BootMessage {
    return bootMessage(this, {
      logLevel: this.#workforce.logLevel?.() ?? 0,
      workers: this.#workforce.others(),
      listen: this.poolListener?.plan,
    });
  }

  nestedCalls(process: PooledProcess): NestedCalls {
    const { link, inFlight, pid } = process;
    const { name, settings } = this.worker;
    const { directory, directoryOf } = this.#workforce;
    return new NestedCalls({ link, inFlight, name, key: this.key, pid, maxMessageSize: settings.maxMessageSize, directoryOf }, directory);
  }

  onReady(process: PooledProcess): void {
    const crew = this.#crewOf(process);
    crew.onReady(process);
    if (crew === this.processSet) this.poolListener?.onProcessReady(process);
    this.dispatcher.fill(process);
    this.socketBalancer.review();
    // Others may still be missing: no more start at once than there are processors.
    this.processSet.grow();
  }

  onUnavailable(process: PooledProcess): void {
    this.#crewOf(process).onUnavailable(process);
    this.dispatcher.releaseBound(process);
    this.dispatcher.dispatch();
    this.socketBalancer.review();
  }

  onExited(process: PooledProcess, unstarted: readonly Call[], lost: readonly LostCall[]): void {
    const { again, retried, failed } = crashOutcome(process, this.key, unstarted, lost, this.processSet.isStopping);
    this.countsOfEnded.done += process.inFlight.done;
    this.countsOfEnded.failed += process.inFlight.failed + failed.length;
    this.#crewOf(process).onExited(process);
    this.dispatcher.giveBack(again);
    for (const { target, attempt } of retried) publish('call.retry', { ...processNames(this, process), task: target.name, attempt });
    this.dispatcher.dispatch();
    for (const { call, error } of failed) {
      if (error && call.fail(error)) call.abortChildren(error);
      this.dispatcher.onCallOver(call);
    }
    this.onFewerCalls();
  }

  onCallOver(process: PooledProcess, call: Call): void {
    this.dispatcher.onCallOver(call);
    this.#crewOf(process).onCallOver(process);
  }

  get takesSockets(): boolean {
    return this.poolListener !== undefined && !this.host.listensAlone;
  }

  onConnectionCount(): void {
    if (this.socketBalancer.waitingCount > 0) this.socketBalancer.review();
    else this.processSet.grow();
  }

  onListening(process: PooledProcess, message: unknown): void {
    if (!this.poolListener) throw new ProtocolError('it listens, and has no connections');
    this.poolListener.onListening(process, message);
  }

  get bindsAlone(): boolean {
    return this.poolListener?.plan.some(endpoints => endpoints.some(({ by }) => by === 'worker')) === true;
  }

  get waitingSockets(): number {
    return this.socketBalancer.waitingCount;
  }

  get startingCount(): number {
    return this.processSet.counts.starting;
  }

  /** Why no process will take anything, now or soon; undefined: one does or will. */
  unservableReason(): Error | undefined {
    const { ready, starts, counts } = this.processSet;
    return ready.length > 0 || !refuses(starts, counts, this.clock.now()) ? undefined : this.#unavailable();
  }

  onUnsolicited(process: PooledProcess, value: unknown): Promise<void> | void {
    return this.#workforce.onUnsolicited(process, value);
  }

  onUncaughtError(process: PooledProcess, error: Error, untold: number): void {
    this.#crewOf(process).onUncaughtError(process, error, untold);
  }

  onOutput(process: PooledProcess, line: string, stream: 'stdout' | 'stderr'): void {
    this.#crewOf(process).onOutput(process, line, stream);
  }

  #crewOf({ publicView: face }: PooledProcess): Crew {
    return face.host === 'local' || !this.remote ? this.processSet : this.remote;
  }

  readonly onRoom = (process: PooledProcess): void => this.dispatcher.fill(process);
  readonly onCallSent = (process: PooledProcess): void => this.#crewOf(process).onCallSent(process);
  readonly onLingering = (process: PooledProcess): void => this.#crewOf(process).onLingering(process);
  readonly onIdle = (process: PooledProcess): void => this.#crewOf(process).onIdle(process);
  emit: ProcessSetHost['emit'] = (...event) => this.#workforce.emit(...event);

  get queued(): number {
    return this.dispatcher.queued;
  }

  /** The processes that take calls. */
  get ready(): readonly PooledProcess[] {
    return this.processSet.ready;
  }

  grow(): void {
    this.processSet.grow();
  }

  get mayStart(): boolean {
    const { processSet, worker } = this;
    return processSet.ready.length < worker.settings.maxWorkers && !refuses(processSet.starts, processSet.counts, this.clock.now());
  }

  /** When it will be ended, in milliseconds since the epoch; undefined: never. */
  deadlineOf(call: Call): number | undefined {
    return this.dispatcher.deadlineOf(call);
  }

  /** No process can be started: waiting calls fail with the reason. */
  onGaveUp(): void {
    if (this.processSet.ready.length > 0 || this.remote) return;
    this.dispatcher.failAll(() => this.#unavailable());
    this.socketBalancer.review();
  }

  // ── the pool as a whole

  /** Resolves when it takes calls. Rejects with why it will not. */
  async start(): Promise<void> {
    await Promise.all([this.processSet.whenReady(), this.remote?.start()]);
  }

  get #state(): WorkerHandle['state'] {
    if (this.#isLeaving) return this.#hasStopped ? 'stopped' : 'stopping';
    const { processSet } = this;
    if (this.remote?.isAlone) return this.remote.ready.length > 0 ? 'ready' : 'starting';
    if (processSet.ready.length > 0 || this.worker.settings.minWorkers === 0) return 'ready';
    return processSet.starts.isBreakerOpen ? 'failed' : processSet.wasReady ? 'ready' : 'starting';
  }

  /** No process could be started since the pool was made. */
  get neverStarted(): boolean {
    return this.#state === 'failed' && !this.processSet.wasReady;
  }

  get needsDrain(): boolean {
    return this.dispatcher.watermark.isClosed;
  }

  /** Resolves when the queue has room again; at once when it has. */
  drained(): Promise<void> {
    return this.dispatcher.watermark.whenOpen();
  }

  /** Calls that run or wait, here or at the proxy. */
  get calls(): number {
    const all = [...this.processSet.all, ...(this.remote?.all ?? [])];
    return all.reduce((sum, process) => sum + process.inFlight.size, this.dispatcher.queued + (this.gate?.answering ?? 0));
  }

  /** Resolves when no call runs or waits. */
  whenIdle(): Promise<void> {
    return this.calls === 0 ? Promise.resolve() : new Promise(resolve => this.#idleWaiters.push(resolve));
  }

  status(): WorkerStatus[] {
    const pool = { ...this.handle, restarts: this.processSet.restarts, startedAt: new Date(this.clock.epoch()) };
    return poolRows([...this.processSet.status(), ...(this.remote?.status() ?? [])], pool, this.queued, this.countsOfEnded);
  }

  /** Takes no more calls, except what it needs to finish. */
  beginStop(): void {
    this.#isLeaving = true;
    this.processSet.windDown();
  }

  /**
   * Stops the proxy, finishes the calls that it has, then stops the processes; all within `timeout` (0: however long).
   * Idempotent, but a repeated call with less time shortens it. Returns the pids that had to be killed.
   */
  stop(timeout: number): Promise<readonly number[]> {
    this.beginStop();
    this.#shutdownDeadline.shorten(timeout);
    if (timeout > 0) this.processSet.shortenStop(timeout);
    return (this.#stopping ??= this.#stop());
  }

  async #stop(): Promise<readonly number[]> {
    const { processSet, gate } = this;
    if (this.poolListener) await this.#shutdownDeadline.within(this.poolListener.close());
    await this.#shutdownDeadline.within(gate?.stop());
    await this.#shutdownDeadline.within(this.whenIdle());
    const overdue = this.calls > 0;
    this.cutOff = this.calls;
    const error = (): Error => new WorkerNotFoundError(this.worker.name, this.key, 'it was stopped');
    gate?.failAll(error);
    this.dispatcher.failAll(error);
    this.socketBalancer.close(error());
    const left = Math.min(this.#shutdownDeadline.remaining, this.worker.settings.closeTimeout || Infinity);
    const within = left === Infinity ? 0 : left;
    const [killed] = await Promise.all([processSet.stop(within, overdue), this.remote?.stop(within, overdue)]);
    this.#shutdownDeadline.stop();
    this.#hasStopped = true;
    this.dispatcher.close();
    return killed;
  }

  /** Calls have left the queue: with the last one, `stop` goes on. */
  onFewerCalls(): void {
    if (this.#idleWaiters.length === 0 || this.calls > 0) return;
    for (const resolve of this.#idleWaiters.splice(0)) resolve();
  }

  #unavailable(): WorkerUnavailableError {
    const cause = this.processSet.lastError;
    return new WorkerUnavailableError(this.worker.name, this.key, 'it cannot be started', cause && { cause });
  }
}
