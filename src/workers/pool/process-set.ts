import { outsideOfCallers } from '../../async-context.js';
import type { WorkerBlueprint } from '../../blueprint/types.js';
import type { Clock } from '../../clock.js';
import type { WorkersEvents, WorkerStatus } from '../../decorators/worker/worker-types.js';
import { publish } from '../../diagnostics.js';
import { WorkerUnavailableError } from '../../errors.js';
import { bootError, isSameMistake } from './boot-error.js';
import { PooledProcess } from '../process/pooled-process.js';
import type { Crew } from './crew-types.js';
import type { PooledProcessHost } from '../process/pooled-process-types.js';
import { processNames, type ProcessNames } from '../event-names.js';
import { isDue } from './recycling.js';
import { Replacements } from './replacements.js';
import { Retry } from './retry.js';
import { rowOf } from './status-row.js';
import * as supervisor from './supervisor.js';
import { MemoryWatch } from './watch.js';

/** The pool, as its process set sees it. */
export interface ProcessSetHost extends PooledProcessHost<PooledProcess> {
  readonly worker: WorkerBlueprint;
  readonly clock: Clock;
  /** Calls that wait in the pool. */
  readonly queued: number;
  /** Sockets that wait in the pool. */
  readonly waitingSockets: number;
  /** Only one process at a time can have its addresses: the old one lets go of them first. */
  readonly bindsAlone: boolean;
  /** How many processors the machine has for this program. */
  readonly processors: number;
  /** No process can be started: calls are refused for now. */
  onGaveUp(): void;
  emit<N extends keyof WorkersEvents>(event: N, ...args: WorkersEvents[N]): void;
}

/** The processes of one pool: carries out what the supervisor decides. */
export class ProcessSet implements Crew {
  readonly #pool: ProcessSetHost;
  readonly #all: PooledProcess[] = [];
  readonly #ready: PooledProcess[] = [];
  #starting = 0;
  #starts = supervisor.noFailures;
  #lastError: Error | undefined;
  /** Processes that died and were not replaced yet; and whether the next one must prove itself. */
  #toReplace = 0;
  #nextIsSuspect = false;
  #isStopping = false;
  /** The pool finishes what it has: no process is started but for calls that wait. */
  #isWindingDown = false;
  #isGrowing = false;
  readonly #replacements: Replacements;
  /** Milliseconds that the last start took. */
  #startTime = 0;
  /** The pool was told that no process can be started. */
  #hasGivenUp = false;
  #restarting: Promise<void> | undefined;
  #restartNext: Promise<void> | undefined;
  readonly #retry: Retry;
  readonly #watch: MemoryWatch;
  readonly #waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];
  wasReady = false;
  restarts = 0;

  constructor(desk: ProcessSetHost) {
    this.#pool = desk;
    this.#retry = new Retry(desk.clock, () => this.grow());
    this.#replacements = new Replacements({
      mayStart: () => !this.#isWindingDown && desk.clock.now() >= this.#starts.notBefore,
      start: () => this.#start(),
      needsRelief: () => desk.queued > 0 && !desk.bindsAlone && this.#isFull,
    });
    this.#watch = new MemoryWatch({
      settings: desk.worker.settings,
      clock: desk.clock,
      all: this.#all,
      ready: this.#ready,
      load: () => this.#load(),
      // The only one takes no more calls: above its limit it must not grow on.
      recycle: process => (this.#ready.length > 1 ? this.retire(process) : process.drain()),
    });
  }

  /** Every process that is not dead. */
  get all(): readonly PooledProcess[] {
    return this.#all;
  }

  /** Those that take calls. */
  get ready(): readonly PooledProcess[] {
    return this.#ready;
  }

  /** Everyone is told to go. */
  get isStopping(): boolean {
    return this.#isStopping;
  }

  get counts(): { readonly ready: number; readonly starting: number } {
    return { ready: this.#ready.length, starting: this.#starting };
  }

  get starts(): supervisor.Starts {
    return this.#starts;
  }

  /** Why the last process could not start. */
  get lastError(): Error | undefined {
    return this.#lastError;
  }

  /** Starts what the load asks for. Cheap when nothing is missing. */
  grow(): void {
    this.#replacements.relieve();
    if (this.#isFull || this.#isStopping || this.#isGrowing) return;
    const now = this.#pool.clock.now();
    const decide = this.#isWindingDown ? supervisor.toStartAtEnd : supervisor.toStart;
    const missing = decide(this.#settings, this.#load(), this.#starts, now, this.#pool.processors);
    // Starting may fail at once, and then asks again.
    this.#isGrowing = true;
    for (let i = 0; i < missing; i++) this.#start();
    this.#isGrowing = false;
    if (missing === 0 && now < this.#starts.notBefore) this.#retryAt(this.#starts.notBefore - now);
  }

  /** Resolves when `minWorkers` are ready, rejects when they cannot be started. Tries again at once if it had given up. */
  whenReady(): Promise<void> {
    const { minWorkers } = this.#settings;
    if (this.#isStopping) return Promise.reject(this.#unavailable());
    if (this.#ready.length >= minWorkers) return Promise.resolve();
    if (this.#starts.isBreakerOpen && this.#starting === 0) this.#starts = supervisor.noFailures;
    const waiting = new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    this.grow();
    return waiting;
  }

  /**
   * Replaces every process, one after the other: the replacement first. Rejects when one cannot start; then the old ones stay.
   * Two at once would both add replacements: a call made during a restart is given the next one.
   */
  restart(): Promise<void> {
    if (!this.#restarting) return (this.#restarting = this.#restart().finally(() => (this.#restarting = undefined)));
    return (this.#restartNext ??= this.#restarting
      .catch(() => {})
      .then(() => {
        this.#restartNext = undefined;
        return this.restart();
      }));
  }

  async #restart(): Promise<void> {
    this.#starts = supervisor.noFailures;
    this.#retry.forget();
    if (this.#ready.length === 0) return this.whenReady();
    const leaving: Promise<void>[] = [];
    for (const old of [...this.#ready]) {
      if (old.state !== 'ready') continue;
      if (this.#pool.bindsAlone) {
        old.drain();
        await old.exited;
        await this.whenReady();
        continue;
      }
      const fresh = this.#start();
      if (!(await fresh.readiness)) throw this.#unavailable();
      // The old process finishes its calls while the next one is replaced.
      old.drain();
      leaving.push(old.exited);
    }
    await Promise.all(leaving);
  }

  /** A process was given another call: where it nears `maxTasksPerWorker` its replacement is started. */
  onCallSent(process: PooledProcess): void {
    const { maxTasksPerWorker: most } = this.#settings;
    const { inFlight, readyAt, jitter } = process;
    const facts = { sent: inFlight.sent, most, age: this.#pool.clock.now() - readyAt, startTime: this.#startTime, jitter };
    if (isDue({ ...facts, processes: this.#ready.length })) this.retire(process);
  }

  /** Ends a process, after its replacement is ready. */
  retire(process: PooledProcess): void {
    // Its addresses cannot be had twice.
    if (this.#pool.bindsAlone) process.drain();
    else this.#replacements.add(process);
  }

  /** Nothing new comes: from now on processes are started for calls that wait, and for nothing else. */
  windDown(): void {
    this.#isWindingDown = true;
    this.grow();
  }

  /** They are going: they must be gone within this time. */
  shortenStop(timeout: number): void {
    if (this.#isStopping) for (const process of [...this.#all]) process.stop(timeout);
  }

  /** Ends all. `overdue`: time for their calls is up, they are killed. Gives the pids of those that had to be killed. */
  async stop(timeout: number, overdue: boolean): Promise<readonly number[]> {
    this.#isStopping = this.#isWindingDown = true;
    this.#retry.forget();
    this.#watch.stop();
    this.#reject(this.#unavailable());
    const processes = [...this.#all];
    for (const process of processes) {
      if (overdue && process.inFlight.size > 0) process.kill('stop');
      // Those that have nothing to do are not killed for the one that hangs.
      else process.stop(overdue && timeout > 0 && process.isIdle ? Math.max(timeout, supervisor.IDLE_STOP) : timeout);
    }
    await Promise.all(processes.map(process => process.exited));
    // One that was still starting had nothing to finish: to kill it cut nothing off.
    return processes.filter(process => process.readyAt >= 0 && process.exitReason().signal === 'SIGKILL').map(process => process.pid);
  }

  status(): Omit<WorkerStatus, 'pool'>[] {
    const { name, key } = this.#pool.handle;
    const { restarts } = this;
    return this.#all.map(process => ({ name, key, ...rowOf(process), restarts }));
  }

  // ── what members report

  onReady(process: PooledProcess): void {
    this.#starting--;
    this.#ready.push(process);
    this.wasReady = true;
    this.#startTime = this.#pool.clock.epoch() - process.startedAt.getTime();
    if (this.#starts.inSuccession > 0) {
      this.#pool.clock.after(supervisor.PROBATION, () => {
        if (process.state === 'ready') this.#onProven();
      });
    }
    this.#announce('ready', process);
    if (this.#ready.length >= this.#settings.minWorkers) for (const { resolve } of this.#waiting.splice(0)) resolve();
    this.#watch.start();
    this.#watch.onIdle();
  }

  /** A process takes no more calls. */
  onUnavailable(process: PooledProcess): void {
    const index = this.#ready.indexOf(process);
    if (index >= 0) this.#ready.splice(index, 1);
    else this.#starting--;
    this.#replacements.forget(process);
    if (process.isSuspicious) this.#nextIsSuspect = true;
    if (!this.#isStopping && process.state === 'dying') {
      this.#toReplace++;
      const readyFor = process.readyAt < 0 ? undefined : this.#pool.clock.now() - process.readyAt;
      const { done, failed } = process.inFlight;
      if (
        supervisor.isFailedStart({
          readyFor,
          done: done + failed + process.sockets.served,
          inFlight: process.inFlightAtExit,
          isEndedByUs: process.isEndedByUs,
        })
      )
        this.#onFailedStart(process);
    }
    this.grow();
  }

  onExited(process: PooledProcess): void {
    this.#all.splice(this.#all.indexOf(process), 1);
    const why = process.exitReason();
    const { exitCode, signal, reason, error } = why;
    // One that was starting had nothing to finish: it is killed at once.
    const expected = reason === 'stop' && (signal !== 'SIGKILL' || process.readyAt < 0);
    publish('worker.exit', { ...this.#facts(process), exitCode, signal, reason, error, expected });
    this.#pool.emit('exit', process.publicView, why);
  }

  /** A call of it is over. */
  onCallOver(process: PooledProcess): void {
    if (this.#starts.inSuccession > 0) this.#onProven();
    this.#watch.onCallOver(process);
  }

  /** A task whose caller gave up does not end: calls that wait for its process get another one. */
  onLingering(process: PooledProcess): void {
    this.#replacements.onLingering(process);
  }

  /** A process has nothing to do. */
  onIdle(): void {
    this.#watch.onIdle();
  }

  onUncaughtError(process: PooledProcess, error: Error, untold: number): void {
    publish('worker.error', { ...this.#facts(process), error, ...(untold > 0 && { untold }) });
  }

  onOutput(process: PooledProcess, line: string, stream: 'stdout' | 'stderr'): void {
    publish('worker.output', { ...this.#facts(process), stream, line });
  }

  // ── starting

  get #settings(): WorkerBlueprint['settings'] {
    return this.#pool.worker.settings;
  }

  get #isFull(): boolean {
    return this.#ready.length + this.#starting >= this.#settings.maxWorkers;
  }

  #load(): supervisor.PoolLoad {
    let running = 0;
    let waiting = 0;
    let connections = this.#pool.waitingSockets;
    for (const { inFlight, sockets } of this.#ready) {
      running += inFlight.running;
      waiting += inFlight.size - inFlight.running;
      connections += sockets.load;
    }
    return { ready: this.#ready.length, starting: this.#starting, running, queued: waiting + this.#pool.queued, connections };
  }

  #start(): PooledProcess {
    this.#starting++;
    const process = outsideOfCallers(() => new PooledProcess(this.#pool, this.#nextIsSuspect));
    this.#nextIsSuspect = false;
    this.#all.push(process);
    this.#announce('start', process);
    if (this.#toReplace > 0) {
      this.#toReplace--;
      this.restarts++;
      this.#announce('restart', process);
    }
    outsideOfCallers(() => process.open());
    return process;
  }

  #onFailedStart(process: PooledProcess): void {
    const { clock } = this.#pool;
    this.#starts = supervisor.afterFailure(this.#starts, this.#settings.restart, clock.now(), process.hasTimedOut || process.isHopeless);
    // Why is known only when it is buried: the process may have had last words.
    void process.exited.then(() => {
      const before = this.#lastError;
      this.#lastError = bootError(process);
      if (process.isHopeless || (!this.wasReady && isSameMistake(before, process, this.#lastError))) {
        this.#starts = supervisor.afterMistake(this.#starts, this.#settings.restart, clock.now());
        // The next try is as late as the breaker says, and not as soon as after an ordinary failure.
        this.#retry.forget();
        this.#retryAt(this.#starts.notBefore - clock.now());
      }
      if (!this.#starts.isBreakerOpen || this.#ready.length > 0) return;
      const error = this.#unavailable();
      this.#reject(error);
      this.#pool.onGaveUp();
      if (this.#hasGivenUp) return;
      this.#hasGivenUp = true;
      const { name, key } = this.#pool.handle;
      publish('worker.gave-up', { app: this.#pool.app, worker: name, key, error });
      this.#pool.emit('gaveUp', this.#pool.handle, error);
    });
    this.#retryAt(this.#starts.notBefore - clock.now());
  }

  #onProven(): void {
    this.#hasGivenUp = false;
    this.#starts = supervisor.afterSuccess(this.#starts);
  }

  /** Sets the timer of the next start. Waiting calls keep the program running until then. */
  #retryAt(delay: number): void {
    const awaited = this.#pool.queued > 0 || this.#pool.waitingSockets > 0 || this.#waiting.length > 0;
    if (!this.#isStopping) this.#retry.schedule(delay, awaited);
  }

  #reject(error: Error): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  #unavailable(): WorkerUnavailableError {
    const { name, key } = this.#pool.handle;
    const cause = this.#lastError;
    return new WorkerUnavailableError(name, key, cause ? 'it cannot be started' : 'it was stopped', cause && { cause });
  }

  #facts(process: PooledProcess): ProcessNames {
    return processNames(this.#pool, process);
  }

  #announce(event: 'start' | 'ready' | 'restart', process: PooledProcess): void {
    publish(`worker.${event}`, this.#facts(process));
    this.#pool.emit(event, process.publicView);
  }
}
