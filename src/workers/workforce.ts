import { isDeepStrictEqual } from 'node:util';
import { nameOf } from '../blueprint/index.js';
import type { WorkerBlueprint } from '../blueprint/types.js';
import type { Clock } from '../clock.js';
import type { Ctor } from '../decorators/ctor.js';
import type { WorkerHandle, WorkerProcess, WorkersEvents, WorkerStatus } from '../decorators/worker/worker-types.js';
import { publish } from '../diagnostics.js';
import type { BoundAddress } from '../endpoints/endpoint.js';
import { BoundaryError, ClosingError, UsageError, WorkerExistsError, WorkerNotFoundError } from '../errors.js';
import type { ChannelRouter } from '../channels/channel-router.js';
import type { Host } from '../hosts/host.js';
import { encodeValue } from '../wire/codec/codec.js';
import { Kind, UPWARD, type BootMessage } from '../wire/link/protocol.js';
import type { PoolListener, MovedConnection } from './sockets/pool-listener-types.js';
import { Announcer } from './announcer.js';
import type { Call } from './call/call.js';
import type { RemoteCrew } from './pool/crew-types.js';
import { clientOf, type Client } from './client.js';
import { ProxyGate, type BuiltProxy } from './proxy/proxy-gate.js';
import type { PooledProcess } from './process/pooled-process.js';
import type { Owner } from './call/owner.js';
import { Pool, type PoolHost } from './pool/pool.js';
import { processNames } from './event-names.js';
import { WorkerRoute } from './route.js';
import type { Directory } from './process/nested-calls.js';

type PoolRoute = WorkerRoute<Pool, ProxyGate>;

/** The application's side of a workforce. */
export interface WorkforceOptions {
  /** The application's name, for events. */
  readonly app?: string | undefined;
  readonly clock: Clock;
  /** The level of the application's logger, which workers are told: pino's number. */
  readonly logLevel?: (() => number) | undefined;
  /** Where workers of this runtime run. Asked once per started worker. */
  host(runtime: string): Host;
  /** Builds a proxy through the container. Called once per started (worker, key). */
  proxy?(cls: Ctor, worker: WorkerBlueprint, key: string | undefined): BuiltProxy;
  /** Makes the listener of a worker with connections. Called once per started (worker, key). */
  listenerFor?(pool: Pool): PoolListener | undefined;
  /** Passes items of channels on between processes. */
  channels?(): ChannelRouter;
  /** The part of a pool that runs on other machines. Called once per started (worker, key). */
  remote?(pool: Pool): RemoteCrew | undefined;
  /** Where calls go that are made in the task of this one, if not to this application's workers. */
  readonly directoryOf?: ((parent: Call) => Directory | undefined) | undefined;
}

/** Counts of the work that its end cut off. */
export interface Leftovers {
  /** Calls that were lost. */
  readonly calls: number;
  /** Processes that had to be killed. */
  readonly pids: readonly number[];
}

/** All workers of this master: which are started under which keys, the ways to them, and their end. */
export class Workforce implements Directory {
  readonly app: string;
  readonly clock: Clock;
  readonly #options: WorkforceOptions;
  readonly #byName: ReadonlyMap<string, WorkerBlueprint>;
  readonly #byClass: ReadonlyMap<Ctor, WorkerBlueprint>;
  /** By name, then by key: those that are started, and those that clients hold. */
  readonly #routes = new Map<string, Map<string | undefined, PoolRoute>>();
  readonly #announcer: Announcer;
  #others: BootMessage['workers'] | undefined;
  #closing = false;
  /** Workers that are started listen from now on. */
  #listening = false;
  #stopping: Promise<Leftovers> | undefined;

  constructor(blueprints: readonly WorkerBlueprint[], options: WorkforceOptions) {
    this.app = options.app ?? '';
    this.#announcer = new Announcer(this.app);
    this.clock = options.clock;
    this.#options = options;
    this.#byName = new Map(blueprints.map(worker => [worker.name, worker]));
    this.#byClass = new Map(blueprints.map(worker => [worker.cls, worker]));
  }

  get channels(): ChannelRouter | undefined {
    return this.#options.channels?.();
  }

  /**
   * The client of a worker for this owner. It may be made before the worker is started.
   * @throws UsageError when the application has no such worker.
   */
  client(worker: Ctor | string, owner: Owner, key?: string): Client {
    const route = this.#keep(this.blueprint(worker), key);
    route.held = true;
    return clientOf(route, owner);
  }

  blueprint(worker: Ctor | string): WorkerBlueprint {
    const found = typeof worker === 'string' ? this.#byName.get(worker) : this.#byClass.get(worker);
    if (found) return found;
    const name = typeof worker === 'string' ? `'${worker}'` : nameOf(worker);
    throw new UsageError(`${name} is no worker of this application: list it in the workers of a module`);
  }

  /** Starts every worker that is to be started at once, and waits until all are ready. Rejects with the first that cannot be. */
  async startAll(): Promise<void> {
    const autoLoaded = [...this.#byName.values()].filter(worker => worker.settings.autoLoad);
    await Promise.all(autoLoaded.map(worker => this.start(worker, undefined, undefined)));
  }

  async start(worker: WorkerBlueprint, key: string | undefined, options: unknown): Promise<WorkerHandle> {
    const parsed = checkOptions(worker, options);
    await this.#route(worker, key).closing;
    if (this.#closing) throw new ClosingError();
    const route = this.#keep(worker, key);
    const running = route.pool;
    if (running && !isDeepStrictEqual(running.options, parsed)) {
      if (!running.neverStarted) throw new WorkerExistsError(worker.name, key);
      // These options may be why it could not be started: a failed start does not keep the key.
      await this.#close(route, running, worker.settings.closeTimeout);
      return this.start(worker, key, options);
    }
    const pool = running ?? this.#open(route, parsed);
    await pool.start();
    await route.proxyGate?.start();
    if (this.#listening) await this.#listen(route, pool);
    return pool.handle;
  }

  /** Those that are started begin to listen; others will when they are. Rejects with the first ListenError. */
  async listen(): Promise<void> {
    this.#listening = true;
    for (const pool of this.#pools()) await pool.poolListener?.open();
  }

  /** No worker listens any more, in this process or its own. Never rejects. */
  async stopListening(): Promise<void> {
    this.#listening = false;
    await Promise.all(this.#pools().map(pool => pool.poolListener?.close()));
    for (const process of this.#members()) process.sockets.stopListening();
  }

  /** The connections of all workers end as those of the master do, or have their last answers. Resolves when that is done. Never rejects. */
  async endConnections(how: 'shutDown' | 'handOver'): Promise<void> {
    const serving = this.#members().filter(({ state }) => state === 'ready' || state === 'draining');
    await Promise.all(serving.map(({ sockets }) => sockets[how]()));
  }

  /** Open connections in all workers. */
  get connections(): number {
    return this.#members().reduce((sum, { connections }) => sum + connections, 0);
  }

  /** Prepares handing connections off to a worker. Throws UsageError, WorkerNotFoundError, or the error of data that cannot be sent. */
  mover(
    cls: Ctor,
    { to, data, key }: { to?: Ctor | undefined; data?: object | undefined; key?: string | undefined },
  ): (what: MovedConnection) => Promise<void> {
    const worker = this.blueprint(cls);
    const pool = this.get(worker, key);
    if (!pool) throw new WorkerNotFoundError(worker.name, key, 'it is not started');
    const { poolListener } = pool;
    if (!poolListener) throw new UsageError(`${worker.className} has no connections: list the class in its @Worker({ connections })`);
    const target = poolListener.target(to, data);
    return what => poolListener.move(target, what);
  }

  /** The addresses that are listened on for a worker, and the number of connections of each of its processes, by id. */
  serving(name: string): {
    readonly listeners: readonly { readonly name: string; readonly url: string }[];
    readonly connections: ReadonlyMap<string, number>;
  } {
    const pools = this.#pools().filter(({ worker, poolListener }) => worker.name === name && poolListener);
    return {
      listeners: pools.flatMap(({ poolListener }) => [...poolListener!.listeners()]),
      connections: new Map(
        pools.flatMap(({ processSet }) => processSet.all.map(({ id, connections }): [string, number] => [id, connections])),
      ),
    };
  }

  /** Where a connection class of a worker listens; undefined: it is none of a started worker. */
  addresses(connection: Ctor): readonly BoundAddress[] | undefined {
    const found = this.#pools().flatMap(pool => pool.poolListener?.addresses(connection) ?? []);
    return found.length > 0 ? found : undefined;
  }

  /** Finishes what runs and waits within `timeout`, then stops. @throws WorkerNotFoundError when it is not started. */
  async stop(handle: WorkerHandle, timeout: number | undefined): Promise<void> {
    if (typeof handle?.state !== 'string') throw new UsageError('stop() takes the handle that start(), get() or list() gave');
    if (handle.state === 'stopped') return;
    const { name, key } = handle;
    const route = this.#routes.get(name)?.get(key);
    const pool = route?.pool;
    if (!pool) throw new WorkerNotFoundError(name, key, 'it is not started');
    await this.#close(route, pool, timeout ?? pool.worker.settings.closeTimeout);
  }

  /** Replaces all processes of that worker, whatever its keys: each replacement first. */
  async restart(worker: WorkerBlueprint): Promise<void> {
    const pools = this.#pools().filter(pool => pool.worker.name === worker.name);
    if (pools.length === 0) throw new WorkerNotFoundError(worker.name, undefined, 'it is not started');
    await Promise.all(pools.flatMap(({ processSet, remote }) => [processSet.restart(), remote?.restart()]));
  }

  get(worker: WorkerBlueprint, key: string | undefined): Pool | undefined {
    return this.#routes.get(worker.name)?.get(key)?.pool;
  }

  /** All started pools. */
  get pools(): readonly Pool[] {
    return this.#pools();
  }

  list(): readonly WorkerHandle[] {
    return this.#pools().map(pool => pool.handle);
  }

  status(): readonly WorkerStatus[] {
    return this.#pools().flatMap(pool => pool.status());
  }

  /** The processes that take calls at this moment. */
  readyProcesses(): readonly WorkerProcess[] {
    return this.#pools().flatMap(pool => pool.ready.map(({ publicView: face }) => face));
  }

  /** Running workers send records from this level on: pino's number. */
  setLogLevel(level: number): void {
    for (const { link } of this.#members()) link.send(Kind.LOG_LEVEL, 0, Math.min(level, UPWARD));
  }

  on<N extends keyof WorkersEvents>(event: N, listener: (...args: WorkersEvents[N]) => unknown): Disposable {
    return this.#announcer.on(event, listener);
  }

  // ── closing, in the order in which the application does it

  /** From now on only calls that belong to what runs already are taken. */
  refuse(): void {
    this.#closing = true;
    for (const pool of this.#pools()) pool.processSet.windDown();
    // Calls that wait in a paused pool are to finish, too.
    for (const pool of this.#pools()) if (pool.dispatcher.isPaused) pool.dispatcher.setPaused(false);
  }

  /** Calls that run or wait. */
  get calls(): number {
    return this.#pools().reduce((sum, pool) => sum + pool.calls, 0);
  }

  /** Resolves when no call runs or waits anywhere: calls may make others. */
  async whenIdle(): Promise<void> {
    while (this.calls > 0) await Promise.all(this.#pools().map(pool => pool.whenIdle()));
  }

  /** Ends all workers within `timeout` (0: each with its own `closeTimeout`); what has not finished then is killed. Idempotent. */
  close(timeout: number): Promise<Leftovers> {
    this.refuse();
    return (this.#stopping ??= this.#stopAll(timeout));
  }

  async #stopAll(timeout: number): Promise<Leftovers> {
    const open = [...this.#routes.values()].flatMap(routes => [...routes.values()]).filter(route => route.pool);
    let calls = 0;
    const pids = await Promise.all(
      open.map(async route => {
        const pool = route.pool!;
        const killed = await this.#close(route, pool, timeout || pool.worker.settings.closeTimeout);
        calls += pool.cutOff;
        return killed;
      }),
    );
    return { calls, pids: pids.flat() };
  }

  // ── what pools ask

  lookUp(worker: string, key: string | undefined): PoolRoute | undefined {
    const blueprint = this.#byName.get(worker);
    return blueprint && this.#route(blueprint, key);
  }

  #desk(worker: WorkerBlueprint): PoolHost {
    return {
      clock: this.clock,
      host: this.#options.host(worker.settings.runtime),
      directory: this,
      admits: owner => !this.#closing || owner.isAllowedWhileClosing || owner.kind === 'task',
      others: () => (this.#others ??= [...this.#byName.values()].map(facesOf)),
      app: this.app,
      logLevel: this.#options.logLevel,
      emit: (event, ...args) => void this.#announcer.emit(event, ...args),
      onUnsolicited: (process, value) => this.#unasked(process, value),
      listenerFor: pool => this.#options.listenerFor?.(pool),
      remote: pool => this.#options.remote?.(pool),
      directoryOf: this.#options.directoryOf,
    };
  }

  /** A worker that cannot listen is not started. */
  async #listen(route: PoolRoute, pool: Pool): Promise<void> {
    try {
      await pool.poolListener?.open();
    } catch (error) {
      await this.#close(route, pool, pool.worker.settings.closeTimeout);
      throw error;
    }
  }

  #unasked(process: PooledProcess, value: unknown): Promise<void> | void {
    const { name, key } = process.handle;
    const front = this.#routes.get(name)?.get(key)?.proxyGate;
    if (front) return front.onUnsolicited(value);
    if (!this.#announcer.hasListeners('message'))
      publish('worker.message', processNames({ app: this.app, handle: process.handle }, process));
    return this.#announcer.emit('message', value, process.publicView)?.then(() => {});
  }

  /** The way there, kept: it was or will be started, or clients hold it. */
  #keep(worker: WorkerBlueprint, key: string | undefined): PoolRoute {
    const route = this.#route(worker, key);
    let routes = this.#routes.get(worker.name);
    if (!routes) this.#routes.set(worker.name, (routes = new Map()));
    routes.set(key, route);
    return route;
  }

  /** The route to a worker. A route that was never started is not kept: keys may come from anywhere. */
  #route(worker: WorkerBlueprint, key: string | undefined): PoolRoute {
    return this.#routes.get(worker.name)?.get(key) ?? this.#newRoute(worker, key);
  }

  #newRoute(worker: WorkerBlueprint, key: string | undefined): PoolRoute {
    return new WorkerRoute<Pool, ProxyGate>(
      this.app,
      worker,
      key,
      other => this.#route(worker, other),
      () => this.#closing,
      this.clock,
    );
  }

  #open(route: PoolRoute, options: unknown): Pool {
    const { worker, key } = route;
    const proxy = worker.proxy();
    const { proxy: build } = this.#options;
    if (proxy && build) route.proxyGate = new ProxyGate(route, options, () => build(proxy, worker, key));
    return (route.pool = new Pool(ownSettings(worker), key, options, this.#desk(worker), route.proxyGate));
  }

  /** Closes a route. Idempotent, but a repeated call with less time shortens it. */
  #close(route: PoolRoute, pool: Pool, timeout: number): Promise<readonly number[]> {
    const stopped = pool.stop(timeout);
    return (route.closing ??= this.#end(route, stopped));
  }

  async #end(route: PoolRoute, stopped: Promise<readonly number[]>): Promise<readonly number[]> {
    const killed = await stopped;
    route.pool = route.proxyGate = route.closing = undefined;
    if (!route.held) this.#routes.get(route.worker.name)?.delete(route.key);
    return killed;
  }

  #members(): PooledProcess[] {
    return this.#pools().flatMap(pool => [...pool.processSet.all]);
  }

  #pools(): Pool[] {
    return [...this.#routes.values()].flatMap(routes => [...routes.values()].flatMap(({ pool }) => pool ?? []));
  }
}

/** The options of `start`, parsed by the worker's `startOptions`, and fit to be sent. */
function checkOptions(worker: WorkerBlueprint, options: unknown): unknown {
  const verdict = worker.startOptions ? worker.startOptions(options) : { value: options };
  if (verdict.issues)
    throw new BoundaryError({ worker: worker.name, direction: 'input', ...verdict, what: `start options of ${worker.name}` });
  encodeValue(verdict.value, worker.settings.maxMessageSize, 'options');
  return verdict.value;
}

/** A pool's limits can be changed while it runs: they are its own. */
function ownSettings(worker: WorkerBlueprint): WorkerBlueprint {
  return { ...worker, settings: { ...worker.settings } };
}

/** The tasks of a worker that other workers may call. */
function facesOf({ name, tasks }: WorkerBlueprint): BootMessage['workers'][number] {
  const all = [...tasks.values()];
  const processNames = (those: typeof all): string[] => those.map(task => task.name);
  return {
    name,
    tasks: processNames(all),
    streams: processNames(all.filter(task => task.yields)),
    events: all.filter(task => task.events.size > 0).map(task => [task.name, [...task.events.keys()]]),
    receives: processNames(all.filter(task => task.receives)),
  };
}
