import { nameOf, readModule, refuse, schemeOf, type ApplicationReading } from '../blueprint/index.js';
import type { ConnectionBlueprint, Ctor, EndpointBlueprint, Token, WorkerSettings } from '../blueprint/types.js';
import { App } from '../app/app.js';
import { Assembly } from '../app/assembly.js';
import { loggerMistakes } from '../app/start/bootstrap-options.js';
import type { Override } from '../app/container/container.js';
import { isToken, notToken } from '../app/container/build-plan.js';
import { standIn } from '../app/container/stand-in.js';
import { neverInWorker } from '../app/worker-process.js';
import { realClock } from '../clock.js';
import type { ProviderToken } from '../decorators/injection/provider-types.js';
import type { Endpoint } from '../decorators/connection/endpoint-types.js';
import { publish } from '../diagnostics.js';
import { schemeNamed } from '../endpoints/index.js';
import { UsageError } from '../errors.js';
import { hostNamed } from '../hosts/registry.js';
import { anything, checkGiven, flag, object, oneOf, show } from '../option-rules.js';
import type { Framing } from '../framing/framing.js';
import { loggerOf, silentLogger, type Logger } from '../logger.js';
import { RUNTIMES, type Runtime } from '../hosts/runtimes.js';
import type { Duration } from '../units.js';
import { CloseWatch } from './close-watch.js';
import { FakeClock } from './fake-clock.js';
import { TestClient } from './test-client.js';
import { TestServer } from './test-server.js';

/** How a test application runs. */
export interface TestOptions {
  /** Overrides every worker's runtime. Default 'inline': in this process, with the same calls, copying, validation and errors. */
  runtime?: Runtime | undefined;
  /** 'fake': time stands still until `app.clock.advance()`. Default 'real'. */
  clock?: 'real' | 'fake' | undefined;
  /** Default: writes nothing. */
  logger?: Logger | undefined;
}

/** Ways to replace a token's value, for `override(token)`. */
export interface TestOverride<T> {
  /** Provides this value; for a worker class it stands in for its clients. */
  useValue(value: Partial<T>): TestAppBuilder;
  /** Provides an instance that the container makes of this class. */
  useClass(cls: Ctor<T>): TestAppBuilder;
}

/** An application under test: in memory, driven by scripted peers. */
export class TestApp extends App {
  /** Moves the time of a test with `clock: 'fake'`. */
  readonly clock: {
    /** Moves the clock on, and runs the timers that are due on the way. */
    advance(by: Duration): Promise<void>;
  };
  readonly #endpoints: ReadonlyMap<Ctor, string>;
  readonly #framings: ReadonlyMap<Ctor, Framing<unknown, unknown> | undefined>;
  readonly #servers: TestServer[] = [];

  /** Made by {@link createTestApp}. */
  constructor(assembly: Assembly, connections: readonly ConnectionBlueprint[], clock: FakeClock | undefined) {
    super(assembly);
    this.#endpoints = new Map(connections.map((connection): [Ctor, string] => [connection.cls, connection.listen()[0]?.url ?? '']));
    this.#framings = new Map(connections.map(({ cls, framing }) => [cls, framing]));
    this.clock = clock ?? {
      advance: () => Promise.reject(new UsageError("only a fake clock can be advanced: write start({ clock: 'fake' })")),
    };
  }

  /**
   * Connects a scripted peer to a connection class, over memory. It speaks the handler's framing if that is symmetric, `framing` if
   * given, else bytes. When the handler ends, so does the peer, unless `allowHalfOpen`.
   * @throws UsageError when the class does not listen in this application.
   */
  async connect<In = unknown, Out = unknown>(
    connection: Ctor,
    options: { framing?: Framing<In, Out> | undefined; allowHalfOpen?: boolean | undefined } = {},
  ): Promise<TestClient<In, Out>> {
    checkGiven('connect()', options, { framing: anything, allowHalfOpen: flag });
    const url = this.#endpoints.get(connection);
    if (!url) throw new UsageError(`${nameOf(connection)} does not listen in this application`);
    if (!url.startsWith('memory:')) {
      const { url: address } = this.address(connection);
      throw new UsageError(`${nameOf(connection)} serves requests at ${address}: ask it with fetch(), connect() is for connections`);
    }
    const own = this.#framings.get(connection);
    const framing = options.framing ?? (own?.symmetric ? (own as unknown as Framing<In, Out>) : undefined);
    const watch = new CloseWatch();
    try {
      const transport = await schemeNamed('memory')!.connect!({ url, options: {} }, new AbortController().signal);
      return new TestClient(transport, framing, watch.closeOf(transport.local), options.allowHalfOpen);
    } finally {
      watch.cancel();
    }
  }

  /** A scripted server for handlers that connect. It really listens at that endpoint; `memory:name` needs no port. Closed with the application. */
  async accept(endpoint: Endpoint): Promise<TestServer> {
    if (typeof endpoint !== 'string') throw new UsageError(`accept() takes an url, 'memory:name' for instance, not ${show(endpoint)}`);
    const server = await TestServer.listen(endpoint);
    this.#servers.push(server);
    return server;
  }

  override async close(options?: { timeout?: Duration }): ReturnType<App['close']> {
    const summary = await super.close(options);
    await Promise.all(this.#servers.splice(0).map(server => server.close()));
    return summary;
  }
}

/** Puts a test application together. */
export class TestAppBuilder {
  readonly #module: Ctor;
  readonly #overrides = new Map<Token, Override>();

  constructor(module: Ctor) {
    this.#module = module;
  }

  /**
   * Replaces what the application provides for a token. `start()` rejects with a ConfigurationError where nothing provides it or asks for
   * it.
   * @throws UsageError for what is no token.
   */
  override<T>(token: ProviderToken<T>): TestOverride<T> {
    if (!isToken(token)) throw new UsageError(`override(): ${notToken(token)}`);
    const set = (override: Override): this => {
      this.#overrides.set(token, override);
      return this;
    };
    return { useValue: value => set({ value }), useClass: cls => set({ cls: cls as Ctor }) };
  }

  /**
   * Starts it: workers inline, connections on memory instead of their endpoints, no signal handlers. Like `bootstrap()` it never settles
   * in a worker's process, whose module may be the test's own.
   * @throws ConfigurationError, WorkerUnavailableError, like `bootstrap()`.
   */
  async start(options: TestOptions = {}): Promise<TestApp> {
    checkGiven('start()', options, { runtime: oneOf(...RUNTIMES), clock: oneOf('real', 'fake'), logger: object });
    const { runtime = 'inline', clock = 'real', logger = silentLogger } = options;
    const inWorker = neverInWorker();
    if (inWorker) return inWorker;
    refuse(loggerMistakes('start()', logger));
    const reading = onMemory(this.#runIn(await readModule(this.#module), runtime), runtime);
    const fake = clock === 'fake' ? new FakeClock() : undefined;
    const assembly = Assembly.of(reading, {
      name: nameOf(this.#module),
      logger: await loggerOf(logger),
      clock: fake ?? realClock,
      overrides: this.#overrides,
    });
    tellIgnored(reading, runtime);
    const inside = sharesMaster(runtime) ? [...reading.app.inside.values()].flatMap(each => each.connections) : [];
    const app = new TestApp(assembly, [...reading.app.connections, ...inside], fake);
    assembly.app = app;
    try {
      await assembly.start();
    } catch (error) {
      await app.close();
      throw error;
    }
    return app;
  }

  /** The application with its workers in this runtime. An overridden one is inline: its replacement lives here. */
  #runIn({ app, mistakes }: ApplicationReading, runtime: WorkerSettings['runtime']): ApplicationReading {
    const workers = app.workers.map(worker => ({
      ...worker,
      settings: { ...worker.settings, runtime: this.#overrides.has(worker.cls) ? ('inline' as const) : runtime },
    }));
    const inside = new Map([...app.inside].map(([cls, each]) => [cls, standIn(each, this.#overrides.get(cls))]));
    return { app: { ...app, workers, inside }, mistakes };
  }
}

function sharesMaster(runtime: string): boolean {
  return hostNamed(runtime)?.sharesMaster === true;
}

let lastName = 0;

/** Requests cannot come over memory: their endpoints are kept, at a port that is free. */
const PORT = /^([a-z]+:\/\/(?:\[[^\]]*\]|[^:/]*))(?::\d+)?/i;

/** The application, listening on memory: each endpoint keeps its options. Processes and threads cannot be reached so. */
function onMemory({ app, mistakes }: ApplicationReading, runtime: WorkerSettings['runtime']): ApplicationReading {
  const connections = app.connections.map(inMemory);
  const inside = sharesMaster(runtime)
    ? new Map([...app.inside].map(([cls, each]) => [cls, { ...each, connections: each.connections.map(inMemory) }]))
    : app.inside;
  return { app: { ...app, connections, inside }, mistakes };
}

function inMemory(connection: ConnectionBlueprint): ConnectionBlueprint {
  const listen = connection.listen().map((endpoint): EndpointBlueprint => {
    const { url, options } = endpoint;
    if (schemeNamed(schemeOf(endpoint))?.serves === 'requests') return { url: url.replace(PORT, '$1:0'), options };
    return { url: `memory:test-${++lastName}`, options };
  });
  return { ...connection, listen: () => listen };
}

function tellIgnored({ app }: ApplicationReading, runtime: string): void {
  const cannotKeep = hostNamed(runtime)?.cannotKeep ?? [];
  const ignored = app.workers.flatMap(({ name, written }) =>
    cannotKeep.filter(option => written.has(option)).map(option => `${name}.${option}`),
  );
  if (ignored.length > 0)
    publish('app.warning', { message: `workers in the runtime '${runtime}' cannot keep these options: ${ignored.join(', ')}` });
}

/**
 * An application for tests.
 * @example
 * const app = await createTestApp(AppModule).override(Store).useValue(fake).start();
 * const client = await app.connect(EvalConnection);
 * client.send('1+1');
 * await client.expect('2');
 * await app.close();
 */
export function createTestApp(module: Ctor): TestAppBuilder {
  return new TestAppBuilder(module);
}
