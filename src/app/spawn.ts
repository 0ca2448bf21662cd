import { overrideWorker, readInside, readProvider, readWorker, valid, type Inside } from '../blueprint/index.js';
import type { Ctor, WorkerBlueprint } from '../blueprint/types.js';
import { UsageError } from '../errors.js';
import { checkGiven, either, isObject, object, off, show, text, type Rules } from '../option-rules.js';
import type { CloseSummary } from '../decorators/connection/close-types.js';
import type { SpawnArgs, Spawned, SpawnOptions } from '../decorators/worker/spawn-types.js';
import { loggerOf } from '../logger.js';
import { loggerMistakes } from './start/bootstrap-options.js';
import type { Duration, Off } from '../units.js';
import { masterSide } from './master-side.js';
import { neverInWorker } from './worker-process.js';

/** There is no application whose `Workers` could start it later. One that requires options cannot be started along. */
function startedAlong(cls: Ctor): WorkerBlueprint {
  const worker = valid(readWorker(cls));
  const autoLoad = worker.startOptions === undefined || (worker.settings.autoLoad && !worker.startOptions(undefined).issues);
  return { ...worker, settings: { ...worker.settings, autoLoad } };
}

/** The workers that it injects by class, itself or in its connections and providers. */
function* injectedBy(worker: WorkerBlueprint, { connections, providers }: Inside): Generator<Ctor> {
  const classes = [worker, ...connections, ...providers.flatMap(({ cls }) => (cls ? readProvider(cls) : []))];
  for (const parameter of classes.flatMap(({ parameters }) => parameters)) {
    if (parameter.kind === 'worker' && typeof parameter.worker === 'function') yield parameter.worker;
  }
}

/** The worker and those that it injects, and those that they inject; with what lives inside each. */
async function withInjected(first: WorkerBlueprint, others: readonly Ctor[]): Promise<ReadonlyMap<WorkerBlueprint, Inside>> {
  const found = new Map<WorkerBlueprint, Inside>();
  const seen = new Set<Ctor>([first.cls, ...others]);
  const waiting = [first, ...[...seen].slice(1).map(startedAlong)];
  for (const worker of waiting) {
    const inside = await readInside(worker, new Map());
    found.set(worker, inside);
    for (const cls of injectedBy(worker, inside)) {
      if (seen.has(cls)) continue;
      seen.add(cls);
      waiting.push(startedAlong(cls));
    }
  }
  return found;
}

const SPAWN_RULES: Rules = {
  key: text,
  workers: { expects: 'a list of classes (`undefined` means modules that import each other in a circle)', fits: isListOfClasses },
  logger: either(object, off),
};

function isListOfClasses(value: unknown): boolean {
  return Array.isArray(value) && value.every(each => typeof each === 'function');
}

function notClass(value: unknown): string {
  if (value === undefined) return 'undefined for a class: modules may import each other in a circle';
  return `${show(value)}, and takes a class decorated with @Worker`;
}

/**
 * Starts a worker without an application and gives its client: a pool of its own each time.
 * Its processes do not keep the program running while they have nothing to do; `close({ timeout? })` finishes what runs, at most until
 * `timeout` (the worker's `closeTimeout`, '10s'), and ends them.
 * @throws ConfigurationError for mistakes in the class, WorkerUnavailableError when it cannot start.
 * @example
 * const evaluator = await spawn(EvalWorker, { maxWorkers: 4 });
 * console.log(await evaluator.evaluate('1+1'));
 */
export async function spawn<C extends Ctor>(worker: C, ...[given]: SpawnArgs<C>): Promise<Spawned<C>> {
  const inWorker = neverInWorker();
  if (inWorker) return inWorker;
  if (typeof worker !== 'function') throw new UsageError(`spawn() was given ${notClass(worker)}`);
  if (given !== undefined && !isObject(given)) throw new UsageError(`spawn(): its options are ${show(given)}: expected an object`);
  const { options, key, workers = [], logger, ...overrides } = (given ?? {}) as SpawnOptions & { options?: unknown };
  checkGiven('spawn()', { key, workers, logger }, SPAWN_RULES);
  // First of all: it knows the runtimes that workers are read for.
  const { Assembly } = await masterSide();
  const blueprint = valid(overrideWorker(worker, { ...overrides, autoLoad: false }));
  const all = await withInjected(blueprint, workers);
  const inside = new Map([...all].map(([{ cls }, within]) => [cls, within]));
  const app = { connections: [], mounted: [], workers: [...all.keys()], providers: [], around: [], inside };
  const assembly = Assembly.of(
    { app, mistakes: [...loggerMistakes('spawn()', logger), ...[...all.values()].flatMap(({ mistakes }) => mistakes)] },
    { name: `spawn(${blueprint.name})`, logger: await loggerOf(logger) },
  );
  const { workforce, owner } = assembly;
  const { closeTimeout } = blueprint.settings;
  const close = (how: { timeout?: Duration | Off | undefined } = {}): Promise<CloseSummary> =>
    assembly.app.close({ timeout: how.timeout === false ? 0 : (how.timeout ?? closeTimeout) });
  try {
    await assembly.start();
    await workforce.start(blueprint, key, options);
  } catch (error) {
    await close({ timeout: 0 });
    throw error;
  }
  const client = workforce.client(worker, owner, key);
  const dispose = async (): Promise<void> => void (await close());
  Object.defineProperties(client, { close: { value: close }, [Symbol.asyncDispose]: { value: dispose } });
  // The client's methods are made from the same declarations as its type.
  return client as unknown as Spawned<C>;
}
