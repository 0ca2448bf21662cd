import type { Mounted } from '../decorators/provider-types.js';
import type { Mistake } from '../errors.js';
import { readConnection } from './connection.js';
import { readEndpoints, schemeOf } from './endpoints.js';
import { strayOptions, unknownWorkers } from './injections.js';
import { mergedOptions } from './lineage.js';
import { reporter } from './mistakes.js';
import { checkServed } from './served.js';
import { mergeModules, mergeWorker } from './module.js';
import { providerMistakes } from './provider-declarations.js';
import { readProvider, readProxy } from './provider.js';
import { readWorker } from './worker.js';
import type { AppBlueprint, ConnectionBlueprint, Ctor, ProviderDeclaration, ProxyBlueprint, WorkerBlueprint } from './types.js';

export interface ApplicationReading {
  readonly app: AppBlueprint;
  readonly mistakes: readonly Mistake[];
}

export interface ReadModuleOptions {
  /** Endpoints that replace those of the decorator: what `bootstrap(…, { listen })` was given. */
  readonly listen?: ReadonlyMap<Ctor | Mounted, unknown> | undefined;
}

/** The connection as this application runs it: its endpoint functions are called now, once. */
function atBootstrap(cls: Ctor, replaced: unknown, mistakes: Mistake[]): ConnectionBlueprint {
  const reading = readConnection(cls);
  mistakes.push(...reading.mistakes);
  const report = reporter(reading.name, mistakes);
  const written = mergedOptions(cls, 'connection');
  if (replaced === undefined && written['listen'] === undefined && written['connect'] === undefined) {
    report(
      undefined,
      'it neither listens nor connects',
      'write `listen:` or `connect:`, or remove it from `connections`: what reactor.connect() is given need not be listed',
    );
  }
  const listen = readEndpoints(replaced ?? written['listen'], reading.options, 'listen', report);
  const connect = readEndpoints(written['connect'], reading.options, 'connect', report);
  checkServed(reading, listen, 'listen', report);
  checkServed(reading, connect, 'connect', report);
  return { ...reading, listen: () => listen, connect: () => connect };
}

function sameNames(workers: readonly WorkerBlueprint[], mistakes: Mistake[]): void {
  const byName = new Map<string, WorkerBlueprint>();
  for (const worker of workers) {
    const other = byName.get(worker.name);
    if (other)
      reporter(worker.className, mistakes)(
        '@Worker',
        `its name '${worker.name}' is also that of ${other.className}`,
        'a name is an identity: give each worker its own',
      );
    else byName.set(worker.name, worker);
  }
}

/** The proxy of a worker, if it has one. */
function proxyOf(worker: WorkerBlueprint, mistakes: Mistake[]): ProxyBlueprint | undefined {
  const report = reporter(worker.className, mistakes);
  let proxy: unknown;
  try {
    proxy = worker.proxy();
  } catch (error) {
    report('@Worker', `the function in \`proxy\` threw ${String(error)}`, 'return a class with @Proxy');
    return undefined;
  }
  if (proxy === undefined && !worker.written.has('proxy')) return undefined;
  if (typeof proxy !== 'function') {
    report(
      '@Worker',
      `\`proxy\` gives ${String(proxy)}`,
      'name a class with @Proxy, as `proxy: () => TheProxy` where modules import each other',
    );
    return undefined;
  }
  const reading = readProxy(proxy as Ctor);
  mistakes.push(...reading.mistakes);
  return reading;
}

/** What a process gets from whoever starts it, and its children do not. */
const MASTERS_OWN = new Set(['stdio', 'fd', 'systemd']);

/** The endpoints inside a worker. Functions among them are called in its own process: here they are not. */
function checkInside(worker: WorkerBlueprint, connection: Ctor, mistakes: Mistake[]): void {
  const { listen, connect } = mergedOptions(connection, 'connection');
  const reading = readConnection(connection);
  const { name, options } = reading;
  const report = reporter(name, mistakes);
  const connects = typeof connect === 'function' ? [] : readEndpoints(connect, options, 'connect', report);
  const listens = typeof listen === 'function' ? [] : readEndpoints(listen, options, 'listen', report);
  for (const endpoint of [...listens, ...connects]) {
    if (!MASTERS_OWN.has(schemeOf(endpoint))) continue;
    report(undefined, `'${endpoint.url}' is given to the process that was started, and a worker is another one`, 'let the master have it');
  }
  checkServed(reading, listens, 'listen', report);
  if (worker.settings.maxWorkers <= 1 || !listens.some(endpoint => schemeOf(endpoint) === 'udp')) return;
  // Each process of the pool would bind the port, and only one can.
  reporter(worker.className, mistakes)(
    'connections',
    `${name} listens on udp, and maxWorkers is ${worker.settings.maxWorkers}`,
    'write maxWorkers: 1, or let the master listen',
  );
}

const classesOf = (providers: readonly ProviderDeclaration[]): readonly Ctor[] => providers.flatMap(({ cls }) => cls ?? []);

/**
 * What lives in a worker's own process, flat: its connections and providers and those of the modules that it imports.
 * In the worker, `valid` it and run it; in the master it is read for its mistakes.
 */
export async function readWorkerScope(worker: WorkerBlueprint): Promise<ApplicationReading> {
  const mistakes: Mistake[] = [];
  const { connections, mounted, providers } = await mergeWorker(worker, mistakes);
  const readings = connections.map(cls => readConnection(cls));
  mistakes.push(...readings.flatMap(reading => reading.mistakes), ...providerMistakes(providers));
  const report = reporter(worker.className, mistakes);
  if (mounted.length > 0)
    report('connections', 'it lists what mount() made', 'the master serves it: list it in the connections of a module');
  for (const connection of connections) checkInside(worker, connection, mistakes);
  return { app: { connections: readings, mounted, workers: [], providers }, mistakes };
}

/** Every mistake of an application is in `mistakes`; `app` may be run only if there is none. */
export async function readModule(module: Ctor, options: ReadModuleOptions = {}): Promise<ApplicationReading> {
  const mistakes: Mistake[] = [];
  const { connections: listed, mounted, workers: classes, providers } = await mergeModules(module, mistakes);
  const connections = [
    ...listed.map(cls => atBootstrap(cls, options.listen?.get(cls), mistakes)),
    ...mounted.map(part => atBootstrap(part.handler, options.listen?.get(part), mistakes)),
  ];
  const workers = classes.map(cls => readWorker(cls));
  mistakes.push(...workers.flatMap(worker => worker.mistakes), ...providerMistakes(providers));
  sameNames(workers, mistakes);

  const proxies = workers.flatMap(worker => proxyOf(worker, mistakes) ?? []);
  const scopes = await Promise.all(workers.map(readWorkerScope));
  mistakes.push(...scopes.flatMap(scope => scope.mistakes));

  const built = [...connections, ...proxies, ...classesOf(providers).map(cls => readProvider(cls))];
  const inWorkers = scopes.flatMap(({ app }) => [...app.connections, ...classesOf(app.providers).map(cls => readProvider(cls))]);
  mistakes.push(...strayOptions(built), ...unknownWorkers([...built, ...workers, ...inWorkers], workers));
  return { app: { connections, mounted, workers, providers }, mistakes };
}
