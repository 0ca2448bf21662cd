import { nameOf, readConnection, readProxy, refuse, valid, type ApplicationReading } from '../blueprint/index.js';
import type { AppBlueprint, Ctor, EndpointBlueprint, Token, WorkerBlueprint } from '../blueprint/types.js';
import { within } from '../blueprint/arounds.js';
import { realClock, type Clock } from '../clock.js';
import type { Mounted, MountedPart, RunningMount } from '../decorators/injection/provider-types.js';
import { publish } from '../diagnostics.js';
import type { BoundAddress } from '../endpoints/endpoint.js';
import { asError, ClosingError, UsageError, type Mistake } from '../errors.js';
import { hostNamed } from '../hosts/registry.js';
import { levelOf, Logger, watchLevel } from '../logger.js';
import { dialerOf, Reactor, ReactorCore, MasterPoolListener, type Dialer, type Handlers, type Listener } from '../reactor/index.js';
import { Master } from '../tasks/master.js';
import { toMilliseconds, type Duration, type Off, type Size } from '../units.js';
import type { BuiltProxy } from '../workers/proxy/proxy-gate.js';
import { Owner } from '../workers/call/owner.js';
import { Workers } from '../workers/workers.js';
import { Workforce, type WorkforceOptions } from '../workers/workforce.js';
import { ChannelRouter } from '../channels/channel-router.js';
import type { Mesh } from '../mesh/mesh-types.js';
import { App, type AppHost, type CloseSummary } from './app.js';
import { leaveName, takeName } from './app-name.js';
import { clientMaker, type MakeClient } from './client-maker.js';
import { SideReactor } from './worker/side-reactor.js';
import { closeInOrder, pause, type ClosingParts } from './closing.js';
import { connectionBuild } from './connection-plan.js';
import { AppContainer, type Override } from './container/container.js';
import { describe } from './report/describe.js';
import { warnAtStart } from './report/start-warnings.js';
import { AppInspection } from './report/inspection.js';
import { logEvents } from './report/events-to-log.js';
import { healthOf, type AppState, type Health } from './report/health.js';
import { Hosts } from './hosts.js';
import { MeshSide, placedWorker, type Placements } from './mesh/mesh-side.js';
import { ownParts } from './container/own-parts.js';
import { mastersOverrides, unusedOverrides } from './container/overrides.js';
import { providedInside } from './container/provided-inside.js';
import { ManagedProviders } from './container/managed-providers.js';
import { planWorker } from './worker/worker-container.js';

/** How an application is put together. */
export interface AssemblyOptions {
  /** How events and logs name it; the first free one that begins so. */
  readonly name: string;
  readonly logger: Logger;
  readonly closeTimeout?: Duration | undefined;
  readonly shutdownDelay?: Duration | Off | undefined;
  readonly maxBufferedBytesTotal?: Size | Off | undefined;
  readonly clock?: Clock | undefined;
  /** Connects it to other machines. */
  readonly mesh?: Mesh | undefined;
  /** Where workers run; needs a mesh for anything but `'local'`. */
  readonly placement?: Placements | undefined;
  readonly zone?: string | undefined;
  /** Where calls go that are made in the task of this one, if not to this application's workers. */
  readonly directoryOf?: WorkforceOptions['directoryOf'];
  /** Replaces providers (tests). */
  readonly overrides?: ReadonlyMap<Token, Override> | undefined;
}

/** The proxy's class; what is wrong with it is in the reading. */
function proxyOf(worker: WorkerBlueprint): Ctor | undefined {
  try {
    const proxy: unknown = worker.proxy();
    return typeof proxy === 'function' ? (proxy as Ctor) : undefined;
  } catch {
    return undefined;
  }
}

function sharesMaster({ settings: { runtime } }: WorkerBlueprint): boolean {
  return hostNamed(runtime)?.sharesMaster === true;
}

const DEFAULT_CLOSE_TIMEOUT: Duration = '15s';

/** Everything that an application consists of, wired: the one place that knows all floors. */
export class Assembly implements AppHost {
  app: App; // Injected as App. create-test-app.ts puts its TestApp here before anything starts.
  readonly name: string;
  readonly workforce: Workforce;
  readonly workers: Workers;
  readonly reactor: Reactor;
  readonly channelRouter: ChannelRouter;
  /** Owner of the calls of providers and of `owner: 'app'` clients. */
  readonly owner = new Owner('app', 'app');
  readonly blueprint: AppBlueprint;
  readonly #options: AssemblyOptions;
  readonly #clock: Clock;
  /** Where the page is that operates it. */
  admin: BoundAddress | undefined;
  /** For the page. */
  readonly side: SideReactor;
  readonly inspection: AppInspection;
  readonly #core: ReactorCore;
  readonly #client: MakeClient;
  readonly #container: AppContainer;
  readonly #hosts: Hosts;
  readonly #mesh: MeshSide | undefined;
  readonly #residents: ManagedProviders;
  readonly #listening = new Map<Ctor, Listener[]>();
  /** Started mounts, by the classes that listen for them. */
  readonly #mounts = new Map<Ctor, RunningMount>();
  readonly #dialers = new Map<Ctor, { readonly dialer: Dialer; readonly url: string }[]>();
  readonly #stopLogging: readonly (() => void)[];
  #state: AppState = 'starting';
  #closing: Promise<CloseSummary> | undefined;
  /** Aborted: `shutdownDelay` is over; and, behind it, the time for closing. */
  readonly #hurry = new AbortController();
  readonly #cutOff = new AbortController();
  #closes!: () => void;
  /** Resolves when the application begins to close. */
  readonly closing = new Promise<void>(resolve => (this.#closes = resolve));
  #hasClosed!: () => void;
  readonly #closed = new Promise<void>(resolve => (this.#hasClosed = resolve));

  /**
   * Wires an application. The container's mistakes are told together with those of the reading.
   * @throws ConfigurationError with all of them.
   */
  static of({ app, mistakes }: ApplicationReading, options: AssemblyOptions): Assembly {
    const assembly = new Assembly(app, options);
    try {
      refuse([...mistakes, ...assembly.#plan()]);
    } catch (error) {
      void assembly.close(0);
      throw error;
    }
    return assembly;
  }

  private constructor(blueprint: AppBlueprint, options: AssemblyOptions) {
    this.name = takeName(options.name);
    this.blueprint = blueprint;
    this.#options = options;
    this.#clock = options.clock ?? realClock;
    const { mesh, placement = {} } = options;
    if (mesh) this.#mesh = new MeshSide(this.name, mesh, placement, options.zone, this.#clock);
    this.#hosts = new Hosts(this.#clock, options.overrides);
    const placed = blueprint.workers.map(worker => placedWorker(worker, placement));
    this.workforce = new Workforce(placed, {
      app: this.name,
      clock: this.#clock,
      logLevel: () => levelOf(options.logger),
      host: runtime => this.#hosts.host(runtime),
      proxy: (cls, worker) => this.#proxy(cls, worker),
      channels: () => this.channelRouter,
      remote: pool => this.#mesh?.crew(pool),
      directoryOf: options.directoryOf,
      listenerFor: pool => {
        const { connections } = blueprint.inside.get(pool.worker.cls)!;
        return connections.length === 0 ? undefined : new MasterPoolListener(pool, this.#clock, connections);
      },
    });
    this.#client = clientMaker(this.name, this.workforce, blueprint.around);
    this.workers = new Workers(this.workforce);
    const handlers: Handlers = {
      blueprintOf: cls => {
        const connection = valid(readConnection(cls));
        return { ...connection, arounds: within(blueprint.around, connection.arounds) };
      },
      build: connection => connectionBuild(this.#container, connection, this.#clock, this.name),
    };
    this.side = new SideReactor({
      clock: this.#clock,
      handlers: { ...handlers, blueprintOf: cls => valid(readConnection(cls)) },
      app: this.name,
    });
    this.#core = new ReactorCore({
      app: this.name,
      clock: this.#clock,
      maxBufferedBytesTotal: options.maxBufferedBytesTotal,
      handlers,
      handOffStarter: (worker, options) => this.workforce.mover(worker, options),
    });
    this.channelRouter = new ChannelRouter(this.name, this.#core.channels);
    this.inspection = new AppInspection(this, blueprint.workers, { core: this.#core, listening: this.#listening, dialers: this.#dialers });
    this.reactor = new Reactor(this.#core);
    this.app = new App(this);
    this.#container = new AppContainer(
      ownParts(
        { reactor: this.reactor, channels: this.#core.channels, logger: options.logger },
        {
          constants: [
            [App, () => this.app],
            [Workers, () => this.workers],
          ],
          elsewhere: token => providedInside(blueprint, token),
          absent: [[Master, 'exists in worker processes only']],
          client: this.#client,
        },
      ),
      this.owner,
      mastersOverrides(options.overrides, blueprint),
    );
    this.#residents = new ManagedProviders(this.#container, {
      app: this.name,
      timers: this.#core.timers,
      workers: this.workers,
      readyProcesses: () => this.workforce.readyProcesses(),
      subscribe: (token, listener) => this.#core.channels.subscribe(token as Ctor, listener),
    });
    this.#stopLogging = [logEvents(options.logger, this.name), watchLevel(options.logger, level => this.workforce.setLogLevel(level))];
  }

  /** Plans every class that the application will build; what is wrong with them, besides what their reading has told. */
  #plan(): readonly Mistake[] {
    const { providers, connections, workers, inside } = this.blueprint;
    this.#container.declare(providers);
    this.#container.verify();
    for (const { cls } of connections) this.#container.planConnection(cls);
    for (const worker of workers) {
      const proxy = proxyOf(worker);
      if (proxy) this.#container.planSingle(proxy);
    }
    const parts = { reactor: this.reactor, channels: this.#core.channels, logger: this.#options.logger };
    const { overrides } = this.#options;
    const provided = new Set(providers.map(({ token }) => token));
    const plans = workers.map(worker => {
      const own = sharesMaster(worker) ? overrides : undefined;
      return planWorker(worker, inside.get(worker.cls)!, parts, { overrides: own, provided });
    });
    const here = plans.filter((_, index) => sharesMaster(workers[index]!));
    const unused = overrides ? unusedOverrides(overrides, this.blueprint, [this.#container, ...here]) : [];
    return [...this.#container.mistakes, ...plans.flatMap(({ mistakes }) => mistakes), ...unused];
  }

  /** Workers, then providers, then listeners and dialers. Rejects with the first failure; what had started is the caller's to close. */
  async start(): Promise<void> {
    warnAtStart(this.name, this.blueprint);
    await this.#mesh?.connect(this.channelRouter);
    await this.workforce.startAll();
    // Closed meanwhile (by a signal, an @OnStart): nothing more may start.
    if (this.#closing) throw new ClosingError();
    await this.#residents.start();
    if (this.#closing) throw new ClosingError();
    await this.#startMounted();
    for (const connection of this.blueprint.connections) {
      for (const endpoint of connection.listen()) await this.#listen(connection.cls, endpoint);
    }
    await this.workforce.listen();
    for (const connection of this.blueprint.connections) {
      for (const endpoint of connection.connect()) this.#dial(connection.cls, endpoint);
    }
    this.#state = 'running';
    publish('app.start', { app: this.name, pid: process.pid });
  }

  async #listen(cls: Ctor, endpoint: EndpointBlueprint): Promise<void> {
    const mounted = this.#mounts.get(cls);
    const { options } = endpoint;
    const listening = await this.#core.listen(cls, mounted ? { ...endpoint, options: { ...options, mounted } } : endpoint);
    this.#listening.set(cls, [...(this.#listening.get(cls) ?? []), listening]);
  }

  #dial(cls: Ctor, endpoint: EndpointBlueprint): void {
    const dialer = dialerOf(this.#core, cls, endpoint);
    this.#dialers.set(cls, [...(this.#dialers.get(cls) ?? []), { dialer, url: endpoint.url }]);
  }

  async #startMounted(): Promise<void> {
    for (const { handler, start } of this.blueprint.mounted) {
      const tools = {
        worker: (worker: Ctor, { key }: { key?: string | undefined } = {}) => this.#client(worker, key, this.owner),
        // Whatever it is, the container says what is wrong with it.
        get: (token: unknown) => this.get(token as Token),
      };
      this.#mounts.set(handler, await start(tools));
      if (this.#closing) throw new ClosingError();
    }
  }

  async #stopMounted(): Promise<void> {
    for (const mounted of this.#mounts.values()) {
      await mounted.stop().catch((error: unknown) => this.#failed('close of what was mounted', error));
    }
  }

  addresses(connection: Ctor | Mounted): readonly BoundAddress[] {
    const isMounted = typeof connection === 'object' && connection !== null;
    // Nothing else than mount() makes what is no class.
    const cls = isMounted ? (connection as MountedPart).handler : connection;
    const addresses = this.#listening.get(cls)?.flatMap(each => each.addresses) ?? this.workforce.addresses(cls);
    if (addresses) return addresses;
    throw new UsageError(`${isMounted ? 'what was mounted' : nameOf(connection)} does not listen in this application`);
  }

  get(token: Token): unknown {
    return this.#container.get(token);
  }

  dialer(handler: Ctor): Dialer {
    const first = this.#dialers.get(handler)?.[0];
    if (first) return first.dialer;
    throw new UsageError(`${nameOf(handler)} has no dialer: write connect: in its @Connection and list it in a module`);
  }

  describe(): string {
    const rows = this.workforce.status();
    return describe({
      listeners: this.inspection.ownListeners(),
      dialers: this.inspection.dialers(),
      workers: this.blueprint.workers.map(({ name }) => ({
        name,
        status: rows.filter(row => row.name === name),
        serving: this.workforce.serving(name),
      })),
    });
  }

  health(): Health {
    const core = this.#core;
    return healthOf({
      state: this.#state,
      handlers: [...this.inspection.addresses(), ...this.#dialers].map(([cls, urls]) => [nameOf(cls), urls, core.count(cls)]),
      handles: this.workforce.list(),
      rows: this.workforce.status(),
    });
  }

  /** Resolves when the application has closed, however that came about. */
  get closed(): Promise<void> {
    return this.#closed;
  }

  /** While it closes: what is left is cut off now, as if the deadline had come. */
  cutOff(): void {
    this.hurry();
    this.#cutOff.abort();
  }

  /** `shutdownDelay` is not waited for. */
  readonly hurry = (): void => this.#hurry.abort();

  close(timeout: Duration | undefined = this.#options.closeTimeout ?? DEFAULT_CLOSE_TIMEOUT): Promise<CloseSummary> {
    if (this.#closing) return this.#closing;
    let within: number;
    try {
      within = toMilliseconds(timeout);
    } catch (error) {
      return Promise.reject(new UsageError(`close({ timeout }): ${asError(error).message}`));
    }
    return (this.#closing = this.#close(within));
  }

  async #close(timeout: number): Promise<CloseSummary> {
    const delay = this.#state === 'running' && !this.#hurry.signal.aborted ? toMilliseconds(this.#options.shutdownDelay ?? 0) : 0;
    this.#state = 'closing';
    this.#closes();
    publish('app.closing', { app: this.name, delay });
    if (delay > 0) await pause(this.#clock, delay, this.#hurry.signal);
    const summary = await closeInOrder(this.#closingParts(), timeout, this.#cutOff.signal);
    this.#state = 'closed';
    publish('app.close', { app: this.name, ...summary });
    await this.side.close();
    for (const stop of this.#stopLogging) stop();
    leaveName(this.name);
    this.#hasClosed();
    return summary;
  }

  #closingParts(): ClosingParts {
    const core = this.#core;
    return {
      clock: this.#clock,
      stopListening: () => Promise.all([core.stopListening(), this.workforce.stopListening()]),
      shutDownConnections: () => Promise.all([core.drain(), this.workforce.endConnections('shutDown')]),
      refuseCalls: () => {
        this.workforce.refuse();
        this.#residents.refuse();
      },
      callsSettled: () => this.workforce.whenIdle(),
      stopResidents: async () => {
        this.owner.isAllowedWhileClosing = true;
        await this.#stopMounted();
        await this.#residents.stop();
        this.owner.isAllowedWhileClosing = false;
      },
      stopWorkers: async left => this.workforce.close(left),
      destroyConnections: () => core.destroy(),
      workerConnections: () => this.workforce.connections,
      dispose: () => this.#container.dispose(error => this.#failed('dispose', error), this.#clock),
      release: async () => {
        await this.#hosts.close();
        await this.#mesh?.close();
      },
    };
  }

  /** The proxy of one started worker, built like any other class of the application. */
  #proxy(cls: Ctor, worker: WorkerBlueprint): BuiltProxy {
    const blueprint = valid(readProxy(cls));
    const resident = this.#residents.add(this.#container.planSingle(cls)(this.#container.scope) as object, blueprint);
    const methods = new Set(blueprint.methods.filter(name => worker.tasks.has(name)));
    return { instance: resident.instance, methods, mailbox: blueprint.mailbox, start: () => resident.start(), stop: () => resident.stop() };
  }

  #failed(hook: string, error: unknown): void {
    publish('hook.error', { app: this.name, hook, error: asError(error) });
  }
}
