import { overrideWorker, readInside, readWorker, valid } from '../blueprint/index.js';
import type { Ctor, WorkerBlueprint } from '../blueprint/types.js';
import type { SpawnArgs, Spawned, SpawnOptions } from '../decorators/spawn-types.js';
import { defaultLogger, silentLogger } from '../logger.js';
import { masterSide } from './master-side.js';
import { neverInWorker } from './worker-process.js';

/** The worker and those that it injects by class, and those that they inject. */
function withInjected(first: WorkerBlueprint, others: readonly Ctor[]): readonly WorkerBlueprint[] {
  const found = new Map<Ctor, WorkerBlueprint>([[first.cls, first]]);
  const visit = (worker: WorkerBlueprint): void => {
    for (const parameter of worker.parameters) {
      if (parameter.kind === 'worker' && typeof parameter.worker === 'function') include(parameter.worker);
    }
  };
  const include = (cls: Ctor): void => {
    if (found.has(cls)) return;
    const worker = valid(readWorker(cls));
    found.set(cls, worker);
    visit(worker);
  };
  visit(first);
  for (const cls of others) include(cls);
  return [...found.values()];
}

/**
 * Starts a worker without an application and gives its client: a pool of its own each time.
 * Its processes do not keep the program running while they have nothing to do; `close()` finishes what runs and ends them.
 * @throws ConfigurationError for mistakes in the class, WorkerUnavailableError when it cannot start.
 * @example
 * const evaluator = await spawn(EvalWorker, { maxWorkers: 4 });
 * console.log(await evaluator.evaluate('1+1'));
 */
export async function spawn<C extends Ctor>(worker: C, ...[given]: SpawnArgs<C>): Promise<Spawned<C>> {
  const inWorker = neverInWorker();
  if (inWorker) return inWorker;
  const { options, key, workers = [], logger, ...overrides } = (given ?? {}) as SpawnOptions & { options?: unknown };
  const blueprint = valid(overrideWorker(worker, { ...overrides, autoLoad: false }));
  const all = withInjected(blueprint, workers);
  const scopes = await Promise.all(all.map(each => readInside(each, new Map())));
  const inside = new Map(all.map((each, index) => [each.cls, scopes[index]!.connections]));
  const app = { connections: [], mounted: [], workers: all, providers: [], inside };
  const { Assembly } = await masterSide();
  const assembly = Assembly.of(
    { app, mistakes: scopes.flatMap(({ mistakes }) => mistakes) },
    { logger: logger === false ? silentLogger : (logger ?? (await defaultLogger())) },
  );
  const { workforce, owner } = assembly;
  const close = async (): Promise<void> => {
    await assembly.app.close({ timeout: 0 });
  };
  try {
    await assembly.start();
    await workforce.start(blueprint, key, options);
  } catch (error) {
    await close();
    throw error;
  }
  const client = workforce.client(worker, owner, key);
  Object.defineProperties(client, { close: { value: close }, [Symbol.asyncDispose]: { value: close } });
  // The client's methods are made from the same declarations as its type.
  return client as unknown as Spawned<C>;
}
