import type { Mounted } from '../decorators/injection/provider-types.js';
import type { Mistake } from '../errors.js';
import { readConnection } from './connection/connection.js';
import { readEndpoints } from './connection/endpoints.js';
import { strayOptions, unknownWorkers } from './provider/injections.js';
import { mergedOptions, withoutUndefined } from './lineage.js';
import { reporter } from './mistakes.js';
import { checkServed } from './served.js';
import { readInside } from './worker/inside.js';
import { mergeModules } from './module.js';
import { providerMistakes } from './provider/provider-declarations.js';
import { readProvider, readProxy } from './provider/provider.js';
import { sameAddresses, sameRoutes } from './connection/same-address.js';
import { readWorker } from './worker/worker.js';
import type { AppBlueprint, ConnectionBlueprint, Ctor, ProviderDeclaration, ProxyBlueprint, WorkerBlueprint } from './types.js';

export interface ApplicationReading {
  readonly app: AppBlueprint;
  readonly mistakes: readonly Mistake[];
}

export interface ReadModuleOptions {
  /** Endpoints that replace those of the decorator, also inside workers: what `bootstrap(…, { listen })` was given. */
  readonly listen?: ReadonlyMap<Ctor | Mounted, unknown> | undefined;
}

/** The connection as this application runs it: its endpoint functions are called now, once. */
function atBootstrap(cls: Ctor, replaced: unknown, mistakes: Mistake[]): ConnectionBlueprint {
  const reading = readConnection(cls);
  mistakes.push(...reading.mistakes);
  const report = reporter(reading.name, mistakes);
  const written = withoutUndefined(mergedOptions(cls, 'connection'));
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

/** A worker that is started at bootstrap is started without options, so its schema must accept `{}`. */
function checkAutoLoad({ className, settings, startOptions }: WorkerBlueprint, mistakes: Mistake[]): void {
  if (!settings.autoLoad || !startOptions?.(undefined).issues) return;
  reporter(className, mistakes)(
    '@Worker',
    'startOptions are required, but it starts at bootstrap without any',
    'write `autoLoad: false` and start it with workers.start(…, { options }), or give the schema a default',
  );
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

const classesOf = (providers: readonly ProviderDeclaration[]): readonly Ctor[] => providers.flatMap(({ cls }) => cls ?? []);

/** Every mistake of an application is in `mistakes`; `app` may be run only if there is none. */
export async function readModule(module: Ctor, options: ReadModuleOptions = {}): Promise<ApplicationReading> {
  const mistakes: Mistake[] = [];
  const { connections: listed, mounted, workers: classes, providers, around } = await mergeModules(module, mistakes);
  const connections = [
    ...listed.map(cls => atBootstrap(cls, options.listen?.get(cls), mistakes)),
    ...mounted.map(part => atBootstrap(part.handler, options.listen?.get(part), mistakes)),
  ];
  const workers = classes.map(cls => readWorker(cls));
  mistakes.push(...workers.flatMap(worker => worker.mistakes), ...providerMistakes(providers));
  sameNames(workers, mistakes);
  for (const worker of workers) checkAutoLoad(worker, mistakes);

  const proxies = workers.flatMap(worker => proxyOf(worker, mistakes) ?? []);
  const scopes = await Promise.all(workers.map(worker => readInside(worker, options.listen ?? new Map())));
  mistakes.push(...scopes.flatMap(scope => scope.mistakes));

  const listening = [...connections, ...scopes.flatMap(scope => scope.connections)];
  sameAddresses(listening, mistakes);
  sameRoutes(listening, mistakes);
  const built = [...connections, ...proxies, ...classesOf(providers).map(cls => readProvider(cls))];
  const inWorkers = scopes.flatMap(scope => [...scope.connections, ...classesOf(scope.providers).map(cls => readProvider(cls))]);
  mistakes.push(...strayOptions(built), ...unknownWorkers([...built, ...workers, ...inWorkers], workers));
  const inside = new Map(workers.map((worker, index) => [worker.cls, scopes[index]!]));
  return { app: { connections, mounted, workers, providers, around, inside }, mistakes };
}
