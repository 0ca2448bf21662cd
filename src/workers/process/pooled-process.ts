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
import { ProfileReceiver } from './profile-receiver.js';
import { RecordReceiver } from './record-receiver.js';
import type { NestedCalls } from './nested-calls.js';

/** One process of a pool: its host's process, its link, and the calls it has. */
export class PooledProcess implements ProtocolGuardHost, InFlightHost {
  readonly #pool: PooledProcessHost<PooledProcess>;
  readonly #process: HostProcess;
  readonly link: Link;
  readonly #killSwitch: KillSwitch;
  readonly #messages: Delivery;
  readonly #nestedCalls: NestedCalls;
  /** A timer that throws every millisecond must not fill the log, and less so with large errors. */
  readonly #uncaughtLimiter = new UncaughtLimiter();
  readonly inFlight: InFlightCalls;
  readonly heartbeat: Heartbeat;
  readonly sockets: SocketLedger;
  readonly records: RecordReceiver;
  readonly profiles: ProfileReceiver;
  readonly startedAt: Date;
  /** Never reused. Inline workers and threads share the master's pid. */
  readonly id = nextProcessId();
  readonly pid: number;
  /** The process as users see it. */
  readonly publicView: WorkerProcess;
  readonly stackLine: string;
  /** Calls that only this process may take: of an affinity that it serves, or made to this very process. */
  readonly bound = new Set<Call>();
  /** The last thing it said with `status()`. */
  lastStatus: unknown;
  /** `startTimeout` has passed. */
  hasTimedOut = false;
  readyAt = -1;
  /** From 0 to 1: processes that started together differ in it. */
  readonly jitter = Math.random();
  idleSince = -1;
  /** Whose turn it is next here: one that is bound to this process, or anyone. */
  isBoundTurn = false;
  /** Connections that it has open. */
  connections = 0;
  #state: PooledProcessState = 'starting';
  #indexes: readonly number[] = [];
  #context: readonly boolean[] = [];
  #mail = false;
  #timer: ClockTimer | undefined;
  readonly #exitReport = new ExitReport();
  #stopBy = Infinity;
  #linkClosed = false;
  #inFlightAtExit = 0;
  readonly #keepAlive: ProgramKeepAlive;
  /** Whether it became ready. */
  readonly readiness: Promise<boolean>;
  #resolveReadiness!: (ready: boolean) => void;
  /** Resolves when it is dead and everything it had is settled. */
  readonly exited: Promise<void>;
  #resolveExited!: () => void;

  /** @param suspect it replaces one that had to be killed: it must prove itself before calls wait at it */
  constructor(desk: PooledProcessHost<PooledProcess>, suspect: boolean) {
    this.#pool = desk;
    const { worker, clock, takesSockets, handle } = desk;
    const { name, cls, source, settings } = worker;
    this.startedAt = new Date(clock.epoch());
    this.exited = new Promise(resolve => (this.#resolveExited = resolve));
    this.readiness = new Promise(resolve => (this.#resolveReadiness = resolve));
    const output = (line: string, stream: 'stdout' | 'stderr'): void => desk.onOutput(this, line, stream);
    this.#process = desk.host.start({ name, key: handle.key, cls, source: source?.url, settings, takesSockets, onOutput: output });
    this.#killSwitch = new KillSwitch(this.#process);
    const { machine, pid } = this.#process;
    this.pid = pid;
    this.publicView = Object.freeze({ id: this.id, host: machine ?? 'local', handle, pid });
    this.stackLine = `[worker ${name} ${machine === undefined ? `pid ${pid}` : `on ${machine}`}]`;
    const guard = new ProtocolGuard(worker, this, desk.onRemoteExit && (value => desk.onRemoteExit!(this, value)));
    const { maxMessageSize } = settings;
    this.link = openLink(this.#process.stream, guard, { maxMessageSize, callsInAnyOrder: machine !== undefined });
    this.inFlight = new InFlightCalls(this.link, clock, settings, suspect, this, machine !== undefined);
    this.heartbeat = new Heartbeat(clock, this.#process, this.link, reason => this.kill(reason));
    this.sockets = new SocketLedger(this.link, takesSockets ? this.#process.sockets : undefined, this.#isLive, this.#onSocketsChanged);
    this.#keepAlive = new ProgramKeepAlive(this.#process);
    this.#messages = messageDelivery(this.link, value => this.#pool.onUnsolicited(this, value) ?? undefined);
    this.#nestedCalls = desk.nestedCalls(this);
    this.profiles = new ProfileReceiver({ link: this.link, clock, name: this.stackLine.slice(1, -1) });
    this.records = new RecordReceiver({ link: this.link, clock, inFlight: this.inFlight, names: () => processNames(desk, this) });
  }

  /** Tells it what to become. Apart from the constructor: a process that could not be launched reports its end at once. */
  open(): void {
    this.#process.onExit(exit => this.#onProcessExit(exit));
    if (this.#state === 'starting') this.#launch(this.#pool.worker.settings.startTimeout);
  }

  get handle(): WorkerHandle {
    return this.#pool.handle;
  }

  get state(): PooledProcessState {
    return this.#state;
  }

  /** The process has no calls and no connections. */
  get isIdle(): boolean {
    return this.inFlight.size + this.connections + this.sockets.size === 0;
  }

  /** We ended it for what a call did, or because it was to go. */
  get isEndedByUs(): boolean {
    return this.#exitReport.isOurs(this.readyAt >= 0);
  }

  /** Calls and connections that it had when it died. */
  get inFlightAtExit(): number {
    return this.#inFlightAtExit;
  }

  /** The process could not start, and the next one could not either: complete once {@link exited} has resolved. */
  get isHopeless(): boolean {
    return this.readyAt < 0 && this.#exitReport.isHopeless;
  }

  get isSuspicious(): boolean {
    return this.#exitReport.isSuspicious;
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
    this.#stopTakingCalls('draining');
    this.sockets.stopListening();
    const { drainTimeout } = this.#pool.worker.settings;
    if (drainTimeout > 0) this.#setTimer(drainTimeout, () => this.#recycleStreams());
    this.#checkDrained();
  }

  /** Tells it to stop: after `closeTimeout` it is killed, or sooner when it is told again. What it still has is lost. */
  stop(timeout = this.#pool.worker.settings.closeTimeout): void {
    if (this.#state === 'dying' || this.#state === 'dead') return;
    if (this.#state === 'starting') return this.kill('stop');
    const by = timeout > 0 ? this.#pool.clock.now() + timeout : Infinity;
    const sooner = by < this.#stopBy;
    if (sooner || this.#state !== 'stopping') this.#sendStop(timeout);
    if (sooner) this.#setTimer(timeout, () => this.kill('stop'), true);
    this.#stopBy = Math.min(by, this.#stopBy);
  }

  kill(reason: CrashReason): void {
    if (this.#state === 'dead') return;
    this.#exitReport.killed ??= reason;
    this.#killSwitch.use();
    this.#beginExit();
  }

  /** How it ended; complete once {@link exited} has resolved. */
  exitReason(): ExitReason {
    return this.#exitReport.report();
  }

  get crashReason(): CrashReason {
    return this.#exitReport.reason;
  }

  get stderr(): string {
    return this.#exitReport.stderr;
  }

  readonly #isAtRest = (): boolean => this.#state === 'ready' && this.inFlight.size === 0;
  readonly #isLive = (): boolean => this.#state !== 'dying' && this.#state !== 'dead';
  // ── what its calls in flight say

  onCallOver(call: Call): void {
    this.#pool.onCallOver(this, call);
    if (this.#state === 'draining') this.#checkDrained();
    if (this.inFlight.size > 0) return;
    this.#reportIdle();
    this.#keepAlive.offWhen(this.#isAtRest);
  }

  onExpired(call: Call, due: Due): void {
    const { worker, handle } = this.#pool;
    if (due === 'stall') return call.abortWith(new StreamStalledError(callNameOf(call.target, handle.key), worker.settings.stallTimeout));
    if (due === 'lingers') return this.#pool.onLingering(this);
    if (due === 'hard') {
      const error = new WorkerTimeoutError(callNameOf(call.target, handle.key), call.hard);
      if (call.fail(error)) call.abortChildren(error);
    }
    if (worker.settings.concurrency === 1) return this.kill('neighbour');
    // Its neighbours may finish if it still answers: only then is it the one task that hangs, and not all.
    if (this.#state === 'ready') this.#stopTakingCalls('draining');
    this.heartbeat.ask('neighbour', () => this.#checkDrained());
  }

  // ── what its process says

  onReady(indexes: readonly number[], context: readonly boolean[], mail: boolean): void {
    if (this.#state !== 'starting') return;
    this.#clearTimer();
    this.#indexes = indexes;
    this.#context = context;
    this.#mail = mail;
    this.#state = 'ready';
    this.readyAt = this.idleSince = this.#pool.clock.now();
    this.#keepAlive.offWhen(this.#isAtRest);
    this.#pool.onReady(this);
    this.#resolveReadiness(true);
  }

  onBootFailure(error: Error, permanent: boolean): void {
    this.#exitReport.bootError ??= error;
    this.#exitReport.isPermanent = permanent;
    this.#beginExit();
  }

  onPong(nonce: number): void {
    this.heartbeat.onPong(nonce);
  }

  onStatus(value: unknown): void {
    this.lastStatus = value;
  }

  onConnectionCounts(connections: number, inbound: number): void {
    this.connections = connections;
    this.sockets.setInbound(inbound);
    this.#onSocketsChanged();
  }

  onListening(message: unknown): void {
    this.#pool.onListening(this, message);
  }

  readonly #onSocketsChanged = (): void => {
    if (this.#state === 'draining') this.#checkDrained();
    this.#pool.onConnectionCount(this);
    this.#reportIdle();
  };

  onUnsolicited(body: Body): void {
    this.#messages.receive(body, 'an unasked message');
  }

  onUncaughtError(error: Error, fatal: boolean, size: number): void {
    const ends = fatal && this.#exitReport.uncaught === undefined;
    if (ends) this.#exitReport.uncaught = error;
    const untold = this.#uncaughtLimiter.take(this.#pool.clock.now(), size);
    if (ends || untold !== undefined) this.#pool.onUncaughtError(this, error, untold ?? 0);
  }

  onNestedCallMessage(kind: number, id: number, arg: number, body: Body): void {
    this.#nestedCalls.message(kind, id, arg, body);
  }

  onBurst(freed: boolean): void {
    if (freed && this.#state === 'ready') this.#pool.onRoom(this);
  }

  onDrained(): void {
    if (this.#state === 'ready') this.#pool.onRoom(this);
  }

  onLinkClosed(error?: Error): void {
    this.#linkClosed = true;
    if (error instanceof ProtocolError && this.#state !== 'dying') {
      this.#exitReport.bootError ??= error;
      this.kill('protocol');
    } else this.#beginExit();
  }

  // ── how it ends

  #onProcessExit(exit: HostExit): void {
    this.#exitReport.exit = exit;
    this.#beginExit();
  }

  /** The first sign of its death, or any other: waits until both its link and its process are over. */
  #beginExit(): void {
    if (this.#state === 'dead') return;
    if (this.#state !== 'dying') {
      this.#inFlightAtExit = this.inFlight.size + this.sockets.load;
      this.#stopTakingCalls('dying');
      this.#keepAlive.on();
      this.#awaitEnd();
    }
    if (this.#linkClosed && this.#exitReport.exit) this.#finishExit();
  }

  #awaitEnd(): void {
    this.#setTimer(
      EXIT_WAIT,
      () => (this.#killSwitch.isLastWord(this.#exitReport.exit !== undefined) ? this.#finishExit() : this.#awaitEnd()),
      true,
    );
  }

  #finishExit(): void {
    if (this.#state === 'dead') return;
    this.#state = 'dead';
    this.#clearTimer();
    this.heartbeat.stop();
    this.link.destroy();
    const { again, lost } = this.inFlight.takeAll(this.#process.mark());
    this.#nestedCalls.close();
    this.#keepAlive.off();
    this.#pool.onExited(this, again, lost);
    this.sockets.close();
    this.records.close();
    this.profiles.close(this.#exitReport.reason);
    this.#resolveReadiness(false);
    this.#resolveExited();
  }

  /** Takes no more calls. */
  #stopTakingCalls(state: 'draining' | 'stopping' | 'dying'): void {
    const took = this.#state === 'ready' || this.#state === 'starting';
    this.#state = state;
    this.#clearTimer();
    if (took) this.#pool.onUnavailable(this);
  }

  #sendStop(within: number): void {
    if (this.#state !== 'stopping') this.#stopTakingCalls('stopping');
    this.#keepAlive.on();
    this.#exitReport.killed ??= 'stop';
    this.link.send(Kind.STOP, 0, Math.ceil(within));
    this.link.flush();
  }

  #reportIdle(): void {
    if (!this.isIdle || this.#state !== 'ready') return;
    this.idleSince = this.#pool.clock.now();
    this.#pool.onIdle(this);
  }

  #checkDrained(): void {
    if (this.#state !== 'draining') return;
    if (this.isIdle) return this.stop();
    // Only tasks that hang are left: their callers were answered long ago.
    if (this.heartbeat.isSpared && [...this.inFlight.calls()].every(call => call.isSettled)) this.kill('neighbour');
  }

  #recycleStreams(): void {
    for (const call of [...this.inFlight.calls()]) {
      if (call.isStream) call.abortWith(new WorkerRecycledError(callNameOf(call.target, this.handle.key)));
    }
    if (this.connections + this.sockets.size > 0) this.stop();
  }

  #launch(startTimeout: number): void {
    this.link.sendValue(Kind.BOOT, 0, 0, this.#pool.bootMessage());
    if (startTimeout === 0 || isDebugged(this.#pool.worker.settings)) return;
    this.#setTimer(startTimeout, () => this.#startTimedOut(startTimeout), true);
  }

  #startTimedOut(startTimeout: number): void {
    if (this.#state !== 'starting') return;
    this.hasTimedOut = true;
    this.#exitReport.bootError = new Error(`it was not ready within its startTimeout of ${startTimeout} ms`);
    this.kill('exit');
  }

  #setTimer(delay: number, run: () => void, keepAlive = false): void {
    this.#clearTimer();
    this.#timer = deadline(this.#pool.clock, delay, run, keepAlive);
  }

  #clearTimer(): void {
    this.#timer?.cancel();
  }
}
