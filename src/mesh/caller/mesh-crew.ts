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
import { remoteRowsOf } from '../remote-status.js';
import { RESTART } from '../subjects.js';
import { differenceOf, signatureOf, type Signature } from '../signature.js';
import type { HostList } from './host-list.js';
import { meshHost } from './mesh-host.js';
import { WaitingForHost } from './waiting-for-host.js';

/** Hosts that one caller links to, for one worker. */
const MOST_LINKS = 8;
/** Milliseconds after which a host that could not be linked is tried again. */
const RETRY = 1_000;

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
  /** Hosts that could not be linked, and until when they are left alone. */
  readonly #avoided = new Map<string, number>();
  readonly #started: (() => void)[] = [];
  /** Why hosts that there are cannot serve. */
  #misfit: Error | undefined;
  #retry: ClockTimer | undefined;
  #isStopping = false;

  constructor(pool: Pool, options: MeshCrewOptions) {
    this.#pool = pool;
    this.#options = options;
    this.isAlone = options.isAlone;
    this.#signature = signatureOf(pool.worker);
    this.#waiting = new WaitingForHost(pool.clock, pool.worker.settings.waitForHost, waited => this.#unavailable(waited));
    options.list.onChange(() => this.#look());
  }

  async start(): Promise<void> {
    await this.#options.list.start();
    this.#look();
    if (this.ready.length > 0 || this.all.length === 0) return;
    await new Promise<void>(resolve => this.#started.push(resolve));
  }

  choose(fits: (member: PooledProcess) => boolean): PooledProcess | undefined {
    return betterOfTwo(this.ready.filter(fits), member => this.#loadOf(member));
  }

  homeOf(affinity: string): PooledProcess | undefined {
    const homes = this.ready.map(member => ({ name: member.face.host, member }));
    return byOwnership(affinity, homes)[0]?.member;
  }

  queued: RemoteCrew['queued'] = call => {
    if (this.isAlone) this.#waiting.add(call, this.#isHopeless);
  };

  async restart(): Promise<void> {
    await Promise.all([...this.ready].map(member => this.#restart(member)));
  }

  async #restart(member: PooledProcess): Promise<void> {
    const { node } = this.#options;
    const { name, key } = this.#pool.handle;
    const host = this.#hosts.get(member)!;
    const lost = member.gone.then(() => 'it has gone');
    const asked = node.ask(node.subjects.toHost(name, host.id, RESTART), Buffer.from(JSON.stringify({ key })), MOST_RESTART);
    const why = await Promise.race([lost, asked.then(answer => Buffer.from(answer).toString().slice(0, 1000))]);
    if (why !== '') throw new WorkerUnavailableError(name, key, `host ${host.name}: ${why}`);
  }

  status(): readonly StatusRow[] {
    return this.all.flatMap(member => this.#rowsOf(member));
  }

  async stop(timeout: number, overdue: boolean): Promise<void> {
    this.#isStopping = true;
    this.#retry?.cancel();
    this.#waiting.stop();
    this.#settleStart();
    const members = [...this.all];
    for (const member of members) {
      if (overdue && member.inFlight.size > 0) member.kill('stop');
      else member.stop(timeout);
    }
    await Promise.all(members.map(member => member.gone));
  }

  // ── what members report

  joined(member: PooledProcess): void {
    this.ready.push(member);
    this.#avoided.delete(this.#hosts.get(member)!.id);
    this.#misfit = undefined;
    this.#tell('ready', member);
    this.#settleStart();
  }

  departed(member: PooledProcess): void {
    const index = this.ready.indexOf(member);
    if (index >= 0) this.ready.splice(index, 1);
    // Another one is linked before this one has finished what it has.
    this.#look();
  }

  buried(member: PooledProcess): void {
    this.all.splice(this.all.indexOf(member), 1);
    const host = this.#hosts.get(member)!;
    this.#hosts.delete(member);
    const { exitCode, signal, reason, error } = member.ending();
    publish('worker.exit', { ...processNames(this.#pool, member), exitCode, signal, reason, error, expected: reason === 'stop' });
    this.#pool.tell('exit', member.face, member.ending());
    if (reason === 'lost') this.#options.list.forget(host.id);
    if (member.readyAt < 0) {
      if (reason !== 'lost') this.#misfit = bootError(member) ?? error;
      this.#avoided.set(host.id, this.#pool.clock.now() + RETRY);
    }
    this.#look();
    if (this.all.length === 0) this.#settleStart();
  }

  released(): void {}
  lingers(): void {}
  aged(): void {}
  idled(): void {}

  stray(member: PooledProcess, error: Error): void {
    publish('worker.error', { ...processNames(this.#pool, member), error });
  }

  /** Output of workers is logged by their host. */
  output(): void {}

  // ── which hosts

  /** Hosts are there, and none of them can serve: waiting for one of them would be in vain. */
  get #isHopeless(): boolean {
    return this.#misfit !== undefined && !this.#hasHost;
  }

  /** A host takes calls, or is being linked. */
  get #hasHost(): boolean {
    return this.all.some(({ state }) => state === 'ready' || state === 'starting');
  }

  #look(): void {
    if (this.#isStopping) return;
    this.#linkMissing();
    if (this.#hasHost) this.#waiting.hostCame();
    else this.#waiting.hostsWent(this.#isHopeless);
  }

  #linkMissing(): void {
    const { list, zone, node } = this.#options;
    const { key } = this.#pool;
    const fitting = list.hosts.filter(host => this.#fits(host));
    const wanted = key === undefined ? subsetFor(node.id, zone, fitting, MOST_LINKS) : byOwnership(key, fitting).slice(0, 1);
    const linked = new Map([...this.#hosts].map(([member, { id }]) => [id, member]));
    // A key stays where it is as long as that host lives.
    const isHeld = key !== undefined && [...linked.values()].some(({ state }) => state === 'ready' || state === 'starting');
    const now = this.#pool.clock.now();
    let retryAt = Infinity;
    for (const host of isHeld ? [] : wanted) {
      if (linked.has(host.id)) continue;
      const until = this.#avoided.get(host.id) ?? 0;
      if (until > now) retryAt = Math.min(retryAt, until);
      else this.#link(host);
    }
    if (retryAt !== Infinity) this.#lookAgain(retryAt - now);
  }

  #lookAgain(delay: number): void {
    this.#retry ??= this.#pool.clock.after(delay, () => {
      this.#retry = undefined;
      this.#look();
    });
  }

  #fits(host: Presence): boolean {
    const difference =
      host.version === PROTOCOL_VERSION
        ? differenceOf(this.#signature, host.signature)
        : `it speaks version ${host.version} of the protocol, not ${PROTOCOL_VERSION}`;
    if (difference !== undefined) this.#misfit = new Error(`host ${host.name}: ${difference}`);
    return difference === undefined;
  }

  #link(host: Presence): void {
    const member = outsideOfCallers(() => new PooledProcess(this.#deskFor(host), false));
    this.all.push(member);
    this.#hosts.set(member, host);
    this.#tell('start', member);
    outsideOfCallers(() => member.open());
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
      boot: () => ({ ...pool.boot(), signature: this.#signature }),
      nestedCalls: member => pool.nestedCalls(member),
      joined: member => pool.joined(member),
      room: member => pool.room(member),
      left: member => pool.left(member),
      buried: (member, again, lost) => pool.buried(member, again, lost),
      released: (member, call) => pool.released(member, call),
      lingers: () => {},
      idled: () => {},
      counted: () => {},
      listens: (member, message) => pool.listens(member, message),
      unasked: (member, value) => pool.unasked(member, value),
      stray: (member, error, untold) => pool.stray(member, error, untold),
      output: () => {},
    };
  }

  #loadOf(member: PooledProcess): number {
    const slots = this.#hosts.get(member)?.slots ?? 1;
    const announced = remoteRowsOf(member.lastStatus).reduce((sum, { running, queued }) => sum + running + queued, 0);
    return (member.inFlight.size + announced) / slots;
  }

  #rowsOf(member: PooledProcess): StatusRow[] {
    const { id, face, handle, state, inFlight, startedAt } = member;
    const { name, key } = handle;
    const rows = remoteRowsOf(member.lastStatus);
    if (rows.length === 0) {
      const own = state === 'ready' || state === 'starting' ? state : 'stopping';
      const { running, done, failed } = inFlight;
      const queued = inFlight.size - running;
      return [
        {
          name,
          key,
          id,
          host: face.host,
          pid: undefined,
          state: own,
          running,
          queued,
          done,
          failed,
          restarts: 0,
          rss: undefined,
          startedAt,
          status: undefined,
        },
      ];
    }
    return rows.map(row => ({
      ...row,
      name,
      key,
      host: face.host,
      id: row.id,
      pid: row.pid,
      rss: row.rss,
      startedAt: new Date(row.startedAt),
      status: row.status,
    }));
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

  #tell(event: 'start' | 'ready', member: PooledProcess): void {
    publish(`worker.${event}`, processNames(this.#pool, member));
    this.#pool.tell(event, member.face);
  }
}
