import type { ClockTimer } from '../../clock.js';
import { deadline } from '../../deadline.js';
import { isDebugged } from './debugged.js';
import type { ExitReason, WorkerHandle, WorkerProcess } from '../../decorators/worker/worker-types.js';
import { ProtocolError, WorkerRecycledError, WorkerTimeoutError, StreamStalledError, type CrashReason } from '../../errors.js';
import type { HostExit, HostProcess } from '../../hosts/host.js';
import { openLink } from '../../wire/link/link.js';
import { Kind, type CallMeta, type RemoteMeta } from '../../wire/link/protocol.js';
import type { Body, Link } from '../../wire/link/types.js';
import type { Call, Due } from '../call/call.js';
import { ExitReport } from './exit/exit-report.js';
import { ProtocolGuard, type ProtocolGuardHost } from './protocol-guard.js';
import { messageDelivery, type Delivery } from '../received/delivery.js';
import { ProgramKeepAlive } from './keep-alive.js';
import { EXIT_WAIT, KillSwitch } from './exit/kill-switch.js';
import type { PooledProcessHost, PooledProcessState } from './pooled-process-types.js';
import { nextProcessId } from './process-id.js';
import { Heartbeat } from './heartbeat.js';
import { InFlightCalls, type InFlightHost } from './in-flight.js';
import { SocketLedger } from '../sockets/socket-ledger.js';
import { UncaughtLimiter } from './uncaught-limiter.js';
import { callNameOf } from '../call/call-target.js';
import { processNames } from '../event-names.js';
import { RecordReceiver } from './record-receiver.js';
import type { NestedCalls } from './nested-calls.js';

/** One process of a pool: its host's process, its link, and the calls it has. */
export class PooledProcess implements ProtocolGuardHost, InFlightHost {
  readonly #desk: PooledProcessHost<PooledProcess>;
  readonly #process: HostProcess;
  readonly #link: Link;
  readonly #killSwitch: KillSwitch;
  readonly #messages: Delivery;
  readonly #nestedCalls: NestedCalls;
  /** A timer that throws every millisecond must not fill the log, and less so with large errors. */
  readonly #strays = new UncaughtLimiter();
  readonly inFlight: InFlightCalls;
  readonly heartbeat: Heartbeat;
  readonly sockets: SocketLedger;
  readonly records: RecordReceiver;
  readonly startedAt: Date;
  /** Never reused. Inline workers and threads share the master's pid. */
  readonly id = nextProcessId();
  readonly pid: number;
  /** The process as users see it. */
  readonly face: WorkerProcess;
  readonly place: string;
  /** Calls that only this process may take: of an affinity that it serves, or made to this very process. */
  readonly bound = new Set<Call>();
  /** The last thing it said with `status()`. */
  lastStatus: unknown;
  /** `startTimeout` has passed. */
  timedOut = false;
  readyAt = -1;
  /** From 0 to 1: processes that started together differ in it. */
  readonly jitter = Math.random();
  idleSince = -1;
  /** Whose turn it is next here: one that is bound to this process, or anyone. */
  turn = false;
  /** Connections that it has open. */
  connections = 0;
  #state: PooledProcessState = 'starting';
  #indexes: readonly number[] = [];
  #context: readonly boolean[] = [];
  #mail = false;
  #timer: ClockTimer | undefined;
  readonly #ending = new ExitReport();
  #stopBy = Infinity;
  #linkClosed = false;
  #heldAtDeath = 0;
  readonly #keepAlive: ProgramKeepAlive;
  /** Whether it became ready. */
  readonly readiness: Promise<boolean>;
  #decided!: (ready: boolean) => void;
  readonly #gone: Promise<void>;
  #buriedNow!: () => void;

  /** @param suspect it replaces one that had to be killed: it must prove itself before calls wait at it */
  constructor(desk: PooledProcessHost<PooledProcess>, suspect: boolean) {
    this.#desk = desk;
    const { worker, clock, takesSockets, handle } = desk;
    const { name, cls, source, settings } = worker;
    this.startedAt = new Date(clock.epoch());
    this.#gone = new Promise(resolve => (this.#buriedNow = resolve));
    this.readiness = new Promise(resolve => (this.#decided = resolve));
    const output = (line: string, stream: 'stdout' | 'stderr'): void => desk.output(this, line, stream);
    this.#process = desk.host.start({ name, key: handle.key, cls, source: source?.url, settings, takesSockets, output });
    this.#killSwitch = new KillSwitch(this.#process);
    const { machine, pid } = this.#process;
    this.pid = pid;
    this.face = Object.freeze({ id: this.id, host: machine ?? 'local', handle, pid });
    this.place = `[worker ${name} ${machine === undefined ? `pid ${pid}` : `on ${machine}`}]`;
    const guard = new ProtocolGuard(worker, this, desk.ended && (value => desk.ended!(this, value)));
    const { maxMessageSize } = settings;
    this.#link = openLink(this.#process.stream, guard, { maxMessageSize, callsInAnyOrder: machine !== undefined });
    this.inFlight = new InFlightCalls(this.#link, clock, settings, suspect, this, machine !== undefined);
    this.heartbeat = new Heartbeat(clock, this.#process, this.#link, reason => this.kill(reason));
    this.sockets = new SocketLedger(this.#link, takesSockets ? this.#process.sockets : undefined, this.#isLive, this.#counted);
    this.#keepAlive = new ProgramKeepAlive(this.#process);
    this.#messages = messageDelivery(this.#link, value => this.#desk.unasked(this, value) ?? undefined);
    this.#nestedCalls = desk.nestedCalls(this);
    this.records = new RecordReceiver({ link: this.#link, clock, inFlight: this.inFlight, names: () => processNames(desk, this) });
  }

  /** Tells it what to become. Apart from the constructor: a process that could not be launched reports its end at once. */
  open(): void {
    this.#process.onExit(exit => this.#exited(exit));
    if (this.#state === 'starting') this.#launch(this.#desk.worker.settings.startTimeout);
  }

  get handle(): WorkerHandle {
    return this.#desk.handle;
  }

  get link(): Link {
    return this.#link;
  }

  get state(): PooledProcessState {
    return this.#state;
  }

  /** The process has no calls and no connections. */
  get idle(): boolean {
    return this.inFlight.size + this.connections + this.sockets.size === 0;
  }

  /** Resolves when it is dead and everything it had is settled. */
  get gone(): Promise<void> {
    return this.#gone;
  }

  /** We ended it for what a call did, or because it was to go. */
  get ours(): boolean {
    return this.#ending.isOurs(this.readyAt >= 0);
  }

  /** Calls and connections that it had when it died. */
  get heldAtDeath(): number {
    return this.#heldAtDeath;
  }

  /** The process could not start, and the next one could not either: complete once {@link gone} has resolved. */
  get hopeless(): boolean {
    return this.readyAt < 0 && this.#ending.hopeless;
  }

  get suspicious(): boolean {
    return this.#ending.suspicious;
  }

  /** Sends a call. Its metadata is built only for tasks that read it, and where another machine needs it. */
  send(call: Call, meta: (call: Call) => CallMeta | RemoteMeta): void {
    const { index } = call.target;
    this.#keepAlive.on();
    const isRead = index < 0 ? this.#mail : this.#context[index] === true;
    this.inFlight.send(call, this.#indexes[index] ?? 0, isRead || this.inFlight.needsMeta(call) ? meta(call) : undefined);
  }

  /** Finishes what it has and stops; streams and connections get `drainTimeout`. */
  drain(): void {
    if (this.#state === 'starting') return this.kill('stop');
    if (this.#state !== 'ready') return;
    this.#leave('draining');
    this.sockets.quiet();
    const { drainTimeout } = this.#desk.worker.settings;
    if (drainTimeout > 0) this.#setTimer(drainTimeout, () => this.#recycleStreams());
    this.#checkDrained();
  }

  /** Tells it to stop: after `closeTimeout` it is killed, or sooner when it is told again. What it still has is lost. */
  stop(timeout = this.#desk.worker.settings.closeTimeout): void {
    if (this.#state === 'dying' || this.#state === 'dead') return;
    if (this.#state === 'starting') return this.kill('stop');
    const by = timeout > 0 ? this.#desk.clock.now() + timeout : Infinity;
    const sooner = by < this.#stopBy;
    if (sooner || this.#state !== 'stopping') this.#sayStop(timeout);
    if (sooner) this.#setTimer(timeout, () => this.kill('stop'), true);
    this.#stopBy = Math.min(by, this.#stopBy);
  }

  kill(reason: CrashReason): void {
    if (this.#state === 'dead') return;
    this.#ending.killed ??= reason;
    this.#killSwitch.use();
    this.#die();
  }

  /** How it ended; complete once {@link gone} has resolved. */
  ending(): ExitReason {
    return this.#ending.report();
  }

  get crashReason(): CrashReason {
    return this.#ending.reason;
  }

  get stderr(): string {
    return this.#ending.stderr;
  }

  readonly #atRest = (): boolean => this.#state === 'ready' && this.inFlight.size === 0;
  readonly #isLive = (): boolean => this.#state !== 'dying' && this.#state !== 'dead';
  // ── what its calls in flight say

  released(call: Call): void {
    this.#desk.released(this, call);
    if (this.#state === 'draining') this.#checkDrained();
    if (this.inFlight.size > 0) return;
    this.#idled();
    this.#keepAlive.offWhen(this.#atRest);
  }

  expired(call: Call, due: Due): void {
    const { worker, handle } = this.#desk;
    if (due === 'stall') return call.giveUp(new StreamStalledError(callNameOf(call.target, handle.key), worker.settings.stallTimeout));
    if (due === 'lingers') return this.#desk.lingers(this);
    if (due === 'hard') {
      const error = new WorkerTimeoutError(callNameOf(call.target, handle.key), call.hard);
      if (call.fail(error)) call.abortChildren(error);
    }
    if (worker.settings.concurrency === 1) return this.kill('neighbour');
    // Its neighbours may finish if it still answers: only then is it the one task that hangs, and not all.
    if (this.#state === 'ready') this.#leave('draining');
    this.heartbeat.ask('neighbour', () => this.#checkDrained());
  }

  // ── what its process says

  ready(indexes: readonly number[], context: readonly boolean[], mail: boolean): void {
    if (this.#state !== 'starting') return;
    this.#clearTimer();
    this.#indexes = indexes;
    this.#context = context;
    this.#mail = mail;
    this.#state = 'ready';
    this.readyAt = this.idleSince = this.#desk.clock.now();
    this.#keepAlive.offWhen(this.#atRest);
    this.#desk.joined(this);
    this.#decided(true);
  }

  bootFailed(error: Error, permanent: boolean): void {
    this.#ending.bootError ??= error;
    this.#ending.permanent = permanent;
    this.#die();
  }

  pong(nonce: number): void {
    this.heartbeat.answered(nonce);
  }

  status(value: unknown): void {
    this.lastStatus = value;
  }

  holds(connections: number, inbound: number): void {
    this.connections = connections;
    this.sockets.holds(inbound);
    this.#counted();
  }

  listens(message: unknown): void {
    this.#desk.listens(this, message);
  }

  readonly #counted = (): void => {
    if (this.#state === 'draining') this.#checkDrained();
    this.#desk.counted(this);
    this.#idled();
  };

  unasked(body: Body): void {
    this.#messages.receive(body, 'an unasked message');
  }

  stray(error: Error, fatal: boolean, size: number): void {
    const ends = fatal && this.#ending.stray === undefined;
    if (ends) this.#ending.stray = error;
    const untold = this.#strays.take(this.#desk.clock.now(), size);
    if (ends || untold !== undefined) this.#desk.stray(this, error, untold ?? 0);
  }

  upward(kind: number, id: number, arg: number, body: Body): void {
    this.#nestedCalls.message(kind, id, arg, body);
  }

  burst(freed: boolean): void {
    if (freed && this.#state === 'ready') this.#desk.room(this);
  }

  drained(): void {
    if (this.#state === 'ready') this.#desk.room(this);
  }

  closed(error?: Error): void {
    this.#linkClosed = true;
    if (error instanceof ProtocolError && this.#state !== 'dying') {
      this.#ending.bootError ??= error;
      this.kill('protocol');
    } else this.#die();
  }

  // ── how it ends

  #exited(exit: HostExit): void {
    this.#ending.exit = exit;
    this.#die();
  }

  /** The first sign of its death, or any other: waits until both its link and its process are over. */
  #die(): void {
    if (this.#state === 'dead') return;
    if (this.#state !== 'dying') {
      this.#heldAtDeath = this.inFlight.size + this.sockets.load;
      this.#leave('dying');
      this.#keepAlive.on();
      this.#awaitEnd();
    }
    if (this.#linkClosed && this.#ending.exit) this.#bury();
  }

  #awaitEnd(): void {
    this.#setTimer(EXIT_WAIT, () => (this.#killSwitch.isLastWord(this.#ending.exit !== undefined) ? this.#bury() : this.#awaitEnd()), true);
  }

  #bury(): void {
    if (this.#state === 'dead') return;
    this.#state = 'dead';
    this.#clearTimer();
    this.heartbeat.stop();
    this.#link.destroy();
    const { again, lost } = this.inFlight.dissolve(this.#process.mark());
    this.#nestedCalls.close();
    this.#keepAlive.off();
    this.#desk.buried(this, again, lost);
    this.sockets.close();
    this.records.close();
    this.#decided(false);
    this.#buriedNow();
  }

  /** Takes no more calls. */
  #leave(state: 'draining' | 'stopping' | 'dying'): void {
    const took = this.#state === 'ready' || this.#state === 'starting';
    this.#state = state;
    this.#clearTimer();
    if (took) this.#desk.left(this);
  }

  #sayStop(within: number): void {
    if (this.#state !== 'stopping') this.#leave('stopping');
    this.#keepAlive.on();
    this.#ending.killed ??= 'stop';
    this.#link.send(Kind.STOP, 0, Math.ceil(within));
    this.#link.flush();
  }

  #idled(): void {
    if (!this.idle || this.#state !== 'ready') return;
    this.idleSince = this.#desk.clock.now();
    this.#desk.idled(this);
  }

  #checkDrained(): void {
    if (this.#state !== 'draining') return;
    if (this.idle) return this.stop();
    // Only tasks that hang are left: their callers were answered long ago.
    if (this.heartbeat.spared && [...this.inFlight.calls()].every(call => call.settled)) this.kill('neighbour');
  }

  #recycleStreams(): void {
    for (const call of [...this.inFlight.calls()]) {
      if (call.streams) call.giveUp(new WorkerRecycledError(callNameOf(call.target, this.handle.key)));
    }
    if (this.connections + this.sockets.size > 0) this.stop();
  }

  #launch(startTimeout: number): void {
    this.#link.sendValue(Kind.BOOT, 0, 0, this.#desk.boot());
    if (startTimeout === 0 || isDebugged(this.#desk.worker.settings)) return;
    this.#setTimer(startTimeout, () => this.#startTimedOut(startTimeout), true);
  }

  #startTimedOut(startTimeout: number): void {
    if (this.#state !== 'starting') return;
    this.timedOut = true;
    this.#ending.bootError = new Error(`it was not ready within its startTimeout of ${startTimeout} ms`);
    this.kill('exit');
  }

  #setTimer(delay: number, run: () => void, keepAlive = false): void {
    this.#clearTimer();
    this.#timer = deadline(this.#desk.clock, delay, run, keepAlive);
  }

  #clearTimer(): void {
    this.#timer?.cancel();
  }
}
