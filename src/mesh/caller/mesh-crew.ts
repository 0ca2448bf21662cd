import { processNames } from '../../workers/event-names.js';
import { publish } from '../../diagnostics.js';
import { outsideOfCallers } from '../../async-context.js';
import { WorkerUnavailableError } from '../../errors.js';
import type { ClockTimer } from '../../clock.js';
import { PROTOCOL_VERSION } from '../../wire/link/protocol.js';
import { bootError } from '../../workers/pool/boot-error.js';
import type { RemoteCrew, StatusRow } from '../../workers/pool/crew-types.js';
import { PooledProcess } from '../../workers/process/pooled-process.js';
import type { PooledProcessHost } from '../../workers/process/pooled-process-types.js';
import type { Pool } from '../../workers/pool/pool.js';
import { betterOfTwo, byOwnership, subsetFor } from '../choice.js';
import type { MeshNode } from '../link/mesh-node.js';
import type { Presence } from '../presence.js';
import { processEndOf } from '../process-end.js';
import { queueMicrotask } from '../../system-timers.js';
import { remoteRowsOf } from '../remote-status.js';
import { rowsOf } from './remote-rows.js';
import { RESTART } from '../subjects.js';
import { differenceOf, signatureOf, type Signature } from '../signature.js';
import type { HostList } from './host-list.js';
import { meshHost } from './mesh-host.js';
import { WaitingForHost } from './waiting-for-host.js';

/** Hosts that one caller links to, for one worker. */
const MOST_LINKS = 8;
/** Milliseconds after which a host that could not be linked is tried again. */
const RETRY = 1_000;

/** A host that could not be linked. */
interface Failed {
  /** Milliseconds of the clock until which it is left alone. */
  readonly until: number;
  /** Why it cannot serve; undefined: it was only lost. */
  readonly error: Error | undefined;
}

/** Milliseconds that a host may take to replace the processes of a worker: streams have 5 minutes to end. */
const MOST_RESTART = 600_000;

export interface MeshCrewOptions {
  readonly node: MeshNode;
  readonly list: HostList;
  readonly zone: string | undefined;
  /** The pool has no processes of its own. */
  readonly isAlone: boolean;
}

/** The members of one pool that stand for other machines: links to hosts as they come, drops them as they go. */
export class MeshCrew implements RemoteCrew {
  readonly all: PooledProcess[] = [];
  readonly ready: PooledProcess[] = [];
  readonly isAlone: boolean;
  readonly #pool: Pool;
  readonly #options: MeshCrewOptions;
  readonly #signature: Signature;
  readonly #waiting: WaitingForHost;
  readonly #hosts = new Map<PooledProcess, Presence>();
  /** Hosts that could not be linked, by their ids. */
  readonly #failed = new Map<string, Failed>();
  /** Hosts whose tasks or version differ, by their ids; undefined: they fit. */
  readonly #differences = new Map<string, Error | undefined>();
  readonly #started: (() => void)[] = [];
  /** Why none of the hosts that there are can serve; undefined: there is none, or one of them may. */
  #misfit: Error | undefined;
  readonly #unsubscribe: () => void;
  #isLookDue = false;
  #retry: ClockTimer | undefined;
  #isStopping = false;

  constructor(pool: Pool, options: MeshCrewOptions) {
    this.#pool = pool;
    this.#options = options;
    this.isAlone = options.isAlone;
    this.#signature = signatureOf(pool.worker);
    this.#waiting = new WaitingForHost(pool.clock, pool.worker.settings.waitForHost, waited => this.#unavailable(waited));
    this.#unsubscribe = options.list.onChange(() => this.#lookSoon());
  }

  async start(): Promise<void> {
    await this.#options.list.start();
    this.#look();
    if (this.ready.length > 0 || this.all.length === 0) return;
    await new Promise<void>(resolve => this.#started.push(resolve));
  }

  choose(fits: (process: PooledProcess) => boolean): PooledProcess | undefined {
    return betterOfTwo(this.ready.filter(fits), process => this.#loadOf(process));
  }

  homeOf(affinity: string): PooledProcess | undefined {
    const homes = this.ready.map(process => ({ name: process.publicView.host, id: this.#hosts.get(process)!.id, process }));
    return byOwnership(affinity, homes)[0]?.process;
  }

  onQueued: RemoteCrew['onQueued'] = call => {
    if (this.isAlone) this.#waiting.add(call, this.#isHopeless);
  };

  async restart(): Promise<void> {
    await Promise.all([...this.ready].map(process => this.#restart(process)));
  }

  async #restart(process: PooledProcess): Promise<void> {
    const { node } = this.#options;
    const { name, key } = this.#pool.handle;
    const host = this.#hosts.get(process)!;
    const subject = node.subjects.toHost(name, host.id, RESTART);
    const answer = await node.ask(subject, Buffer.from(JSON.stringify({ key })), MOST_RESTART, process.exited);
    const why = Buffer.from(answer).toString().slice(0, 1000);
    if (why !== '') throw new WorkerUnavailableError(name, key, `host ${host.name}: ${why}`);
  }

  status(): readonly StatusRow[] {
    return this.all.flatMap(process => rowsOf(process));
  }

  async stop(timeout: number, overdue: boolean): Promise<void> {
    this.#isStopping = true;
    this.#unsubscribe();
    this.#retry?.cancel();
    this.#waiting.stop();
    this.#settleStart();
    const processes = [...this.all];
    for (const process of processes) {
      if (overdue && process.inFlight.size > 0) process.kill('stop');
      else process.stop(timeout);
    }
    await Promise.all(processes.map(process => process.exited));
  }

  // ── what members report

  onReady(process: PooledProcess): void {
    this.ready.push(process);
    this.#failed.delete(this.#hosts.get(process)!.id);
    this.#tell('ready', process);
    this.#settleStart();
    this.#dropSurplus();
  }

  onUnavailable(process: PooledProcess): void {
    const index = this.ready.indexOf(process);
    if (index >= 0) this.ready.splice(index, 1);
    // Another one is linked before this one has finished what it has.
    this.#look();
  }

  onExited(process: PooledProcess): void {
    this.all.splice(this.all.indexOf(process), 1);
    const host = this.#hosts.get(process)!;
    this.#hosts.delete(process);
    const { exitCode, signal, reason, error } = process.exitReason();
    publish('worker.exit', { ...processNames(this.#pool, process), exitCode, signal, reason, error, expected: reason === 'stop' });
    this.#pool.emit('exit', process.publicView, process.exitReason());
    const isLost = reason === 'lost';
    const until = this.#pool.clock.now() + RETRY;
    if (process.readyAt < 0) this.#failed.set(host.id, { until, error: isLost ? undefined : (bootError(process) ?? error) });
    if (isLost) this.#options.list.forget(host.id);
    this.#look();
    if (this.all.length === 0) this.#settleStart();
  }

  onCallOver(): void {}
  onLingering(): void {}
  onCallSent(): void {}
  onIdle(): void {}

  onUncaughtError(process: PooledProcess, error: Error): void {
    publish('worker.error', { ...processNames(this.#pool, process), error });
  }

  /** Output of workers is logged by their host. */
  onOutput(): void {}

  // ── which hosts

  /** Hosts are there, and none of them can serve: waiting for one of them would be in vain. */
  get #isHopeless(): boolean {
    return this.#misfit !== undefined && !this.#hasHost;
  }

  /** A host takes calls, or is being linked. */
  get #hasHost(): boolean {
    return this.all.some(({ state }) => state === 'ready' || state === 'starting');
  }

  /** Many hosts may say at once that they are there. */
  #lookSoon(): void {
    if (this.#isLookDue) return;
    this.#isLookDue = true;
    queueMicrotask(() => {
      this.#isLookDue = false;
      this.#look();
    });
  }

  #look(): void {
    if (this.#isStopping) return;
    this.#linkMissing();
    if (this.#hasHost) this.#waiting.onHost();
    else this.#waiting.onNoHosts(this.#isHopeless);
  }

  #linkMissing(): void {
    const { hosts } = this.#options.list;
    this.#forgetOthers(hosts);
    const fitting = hosts.filter(host => this.#differenceOf(host) === undefined);
    const wanted = this.#wantedOf(fitting);
    const linked = new Set([...this.#hosts.values()].map(({ id }) => id));
    const now = this.#pool.clock.now();
    let retryAt = Infinity;
    for (const host of wanted) {
      if (linked.has(host.id)) continue;
      const until = this.#failed.get(host.id)?.until ?? 0;
      if (until > now) retryAt = Math.min(retryAt, until);
      else this.#link(host);
    }
    if (retryAt !== Infinity) this.#lookAgain(retryAt - now);
    const errors = hosts.map(host => this.#differenceOf(host) ?? this.#failed.get(host.id)?.error);
    this.#misfit = errors.includes(undefined) ? undefined : errors[0];
    this.#dropSurplus(wanted);
  }

  /** The hosts to be linked to, of those that fit. */
  #wantedOf(fitting: readonly Presence[]): readonly Presence[] {
    const { zone, node } = this.#options;
    const { key } = this.#pool;
    if (key === undefined) return subsetFor(node.id, zone, fitting, MOST_LINKS);
    // A key stays where it is as long as that host lives.
    const holder = this.all.find(({ state }) => state === 'ready' || state === 'starting');
    return holder ? [this.#hosts.get(holder)!] : byOwnership(key, fitting).slice(0, 1);
  }

  /**
   * Lets go of hosts that others have taken the place of, once those take calls: what they have is finished there. Hosts come and go, and
   * each new one may belong to the few of this caller.
   */
  #dropSurplus(wanted = this.#wantedOf(this.#options.list.hosts.filter(host => this.#differenceOf(host) === undefined))): void {
    const ids = new Set(wanted.map(({ id }) => id));
    const isReady = ({ id }: Presence): boolean => this.ready.some(process => this.#hosts.get(process)!.id === id);
    if (ids.size === 0 || !wanted.every(isReady)) return;
    for (const process of [...this.ready]) if (!ids.has(this.#hosts.get(process)!.id)) process.drain();
  }

  /** Forgets what it knew of hosts that are gone. */
  #forgetOthers(hosts: readonly Presence[]): void {
    if (this.#differences.size + this.#failed.size === 0) return;
    const ids = new Set(hosts.map(({ id }) => id));
    for (const id of this.#differences.keys()) if (!ids.has(id)) this.#differences.delete(id);
    const now = this.#pool.clock.now();
    for (const [id, { until }] of this.#failed) if (!ids.has(id) && until <= now) this.#failed.delete(id);
  }

  #lookAgain(delay: number): void {
    this.#retry ??= this.#pool.clock.after(delay, () => {
      this.#retry = undefined;
      this.#look();
    });
  }

  /** Why the host cannot serve this caller; undefined: it can. */
  #differenceOf(host: Presence): Error | undefined {
    if (this.#differences.has(host.id)) return this.#differences.get(host.id);
    const difference =
      host.version === PROTOCOL_VERSION
        ? differenceOf(this.#signature, host.signature)
        : `it speaks version ${host.version} of the protocol, not ${PROTOCOL_VERSION}`;
    const error = difference === undefined ? undefined : new Error(`host ${host.name}: ${difference}`);
    this.#differences.set(host.id, error);
    return error;
  }

  #link(host: Presence): void {
    const process = outsideOfCallers(() => new PooledProcess(this.#deskFor(host), false));
    this.all.push(process);
    this.#hosts.set(process, host);
    this.#tell('start', process);
    outsideOfCallers(() => process.open());
  }

  #deskFor(host: Presence): PooledProcessHost<PooledProcess> {
    const pool = this.#pool;
    const { settings } = pool.worker;
    return {
      app: pool.app,
      worker: { ...pool.worker, settings: { ...settings, concurrency: host.slots, heartbeat: false, maxTasksPerWorker: 0 } },
      handle: pool.handle,
      clock: pool.clock,
      host: meshHost(this.#options.node, host),
      takesSockets: false,
      bootMessage: () => ({ ...pool.bootMessage(), signature: this.#signature }),
      nestedCalls: process => pool.nestedCalls(process),
      onReady: process => pool.onReady(process),
      onRoom: process => pool.onRoom(process),
      onUnavailable: process => pool.onUnavailable(process),
      onExited: (process, again, lost) => pool.onExited(process, again, lost),
      onCallOver: (process, call) => pool.onCallOver(process, call),
      onLingering: () => {},
      onIdle: () => {},
      onConnectionCount: () => {},
      onListening: (process, message) => pool.onListening(process, message),
      onUnsolicited: (process, value) => pool.onUnsolicited(process, value),
      onUncaughtError: (process, error, untold) => pool.onUncaughtError(process, error, untold),
      onOutput: () => {},
      onRemoteExit: (process, value) => this.#processEnded(process, value),
    };
  }

  /** A process of a host has ended: told like one of this machine. */
  #processEnded(remote: PooledProcess, value: unknown): void {
    const ended = processEndOf(value);
    if (!ended) return;
    const { exitCode, signal, reason, error } = ended.why;
    const process = Object.freeze({ ...remote.publicView, id: ended.id, pid: ended.pid });
    const names = { ...processNames(this.#pool, remote), process: ended.id, workerPid: ended.pid };
    publish('worker.exit', { ...names, exitCode, signal, reason, error, expected: reason === 'stop' });
    this.#pool.emit('exit', process, ended.why);
  }

  #loadOf(process: PooledProcess): number {
    const slots = this.#hosts.get(process)?.slots ?? 1;
    const announced = remoteRowsOf(process.lastStatus).reduce((sum, { running, queued }) => sum + running + queued, 0);
    return (process.inFlight.size + announced) / slots;
  }

  #unavailable(waited: number): WorkerUnavailableError {
    const { name, key } = this.#pool.handle;
    const misfit = this.#misfit;
    const why = misfit ? `no host can serve it: ${misfit.message}` : `no host serves it (waited ${waited} ms for one)`;
    return new WorkerUnavailableError(name, key, why, misfit && { cause: misfit });
  }

  #settleStart(): void {
    for (const resolve of this.#started.splice(0)) resolve();
  }

  #tell(event: 'start' | 'ready', process: PooledProcess): void {
    publish(`worker.${event}`, processNames(this.#pool, process));
    this.#pool.emit(event, process.publicView);
  }
}
