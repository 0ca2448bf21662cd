import { hostname } from 'node:os';
import { nameOf, readModule } from '../../blueprint/index.js';
import type { ApplicationReading } from '../../blueprint/index.js';
import type { Ctor, WorkerBlueprint } from '../../blueprint/types.js';
import { realClock } from '../../clock.js';
import { asError, type Mistake } from '../../errors.js';
import { MeshNode } from '../../mesh/link/mesh-node.js';
import { RelayedCall } from '../../mesh/host/relayed-call.js';
import { WorkerHost } from '../../mesh/host/worker-host.js';
import { MeshChannels } from '../../mesh/mesh-channels.js';
import type { Mesh } from '../../mesh/mesh-types.js';
import { checkNeeded, duration, either, flag, list, object, off, text, type Rules } from '../../option-rules.js';
import { loggerOf, type Logger } from '../../logger.js';
import { toMilliseconds, type Duration, type Off } from '../../units.js';
import { loggerMistakes } from '../start/bootstrap-options.js';
import { masterSide } from '../master-side.js';
import { isMesh, remoteMistakes } from './mesh-mistakes.js';
import { handleSignals } from '../signals.js';
import { neverInWorker } from '../worker-process.js';

/** The options of {@link serveWorkers}. */
export interface ServeWorkersOptions {
  /** `nats()` of packet-ts/nats, or `memoryMesh()` of packet-ts/testing. */
  mesh: Mesh;
  /** The workers to offer: classes of the module, or their names. */
  workers: readonly (Ctor | string)[];
  /** Name of this host in `status()` and errors. Default: the machine's. */
  name?: string | undefined;
  /** Callers of the same zone come here first. */
  zone?: string | undefined;
  /** How long draining may take before what is left is cut off. Default '15s'. */
  closeTimeout?: Duration | Off | undefined;
  /** Anything with pino's interface; `false` writes nothing. Default: pino, JSON lines on stderr. */
  logger?: Logger | false | undefined;
  /** SIGINT and SIGTERM drain and end the process: exit code 0, or 1 where something was cut off. Default true. */
  signals?: boolean | undefined;
}

/** A running worker host. */
export interface ServedWorkers extends AsyncDisposable {
  /** Name of this host. */
  readonly name: string;
  /** The workers, their processes and callers, as text. */
  describe(): string;
  /** Takes no new callers, lets those it has finish within `timeout` ('15s'), then closes. Resolves with whether nothing was cut off. */
  drain(options?: { timeout?: Duration | Off | undefined }): Promise<{ graceful: boolean }>;
  /** Closes now: calls under way are cut off. Idempotent. */
  close(): Promise<void>;
}

const RULES: Rules = {
  mesh: { expects: 'a mesh: nats({ servers }) of packet-ts/nats, or memoryMesh() of packet-ts/testing', fits: isMesh },
  workers: list,
  name: text,
  zone: text,
  closeTimeout: duration,
  logger: either(object, off),
  signals: flag,
};

const DEFAULT_TIMEOUT: Duration = '15s';

/** The module as a worker host runs it: workers, and nothing that listens. */
function hosted(
  { app, mistakes }: ApplicationReading,
  wanted: readonly (Ctor | string)[],
): ApplicationReading & { served: readonly WorkerBlueprint[] } {
  const where = 'serveWorkers(): workers';
  const flaws: Mistake[] = [...mistakes];
  const served = wanted.flatMap(each => {
    const found = app.workers.find(({ cls, name }) => cls === each || name === each);
    if (found) return found;
    const names = app.workers.map(({ name }) => `'${name}'`).join(', ');
    flaws.push({
      where,
      wrong: `${typeof each === 'string' ? `'${each}'` : nameOf(each)} is no worker of the module`,
      remedy: names === '' ? 'list it in `workers` of a module' : `name one of ${names}`,
    });
    return [];
  });
  if (wanted.length === 0) flaws.push({ where, wrong: 'the list is empty', remedy: 'list the workers that this host is to offer' });
  for (const worker of served) flaws.push(...remoteMistakes(worker, where));
  const isStarted = (worker: WorkerBlueprint): boolean => served.includes(worker) && !worker.startOptions?.(undefined).issues;
  // A proxy stays with the caller.
  const workers = app.workers.map(worker => ({
    ...worker,
    settings: { ...worker.settings, autoLoad: worker.settings.autoLoad && isStarted(worker) },
    proxy: () => undefined,
  }));
  return {
    app: { ...app, connections: [], mounted: [], providers: [], workers },
    mistakes: flaws,
    served: workers.filter(({ cls }) => served.some(worker => worker.cls === cls)),
  };
}

/**
 * Offers workers of a module to other machines: starts their pools, takes calls from applications that place them there, and supervises them
 * as any application does its own.
 * @throws ConfigurationError with every mistake at once, MeshError when the mesh cannot be reached or refuses it, WorkerUnavailableError for
 * a worker that cannot start. Nothing is left running then.
 * @example const host = await serveWorkers(AppModule, { mesh: nats({ servers: 'nats://10.0.0.1' }), workers: [EvalWorker] });
 */
export async function serveWorkers(module: Ctor, options: ServeWorkersOptions): Promise<ServedWorkers> {
  const inWorker = neverInWorker();
  if (inWorker) return inWorker;
  checkNeeded('serveWorkers()', options, RULES, 'mesh', 'workers');
  const { mesh, workers, name = hostname(), zone, closeTimeout = DEFAULT_TIMEOUT, logger, signals = true } = options;
  const { served, ...reading } = hosted(await readModule(module), workers);
  const { Assembly } = await masterSide();
  const assembly = Assembly.of(
    { app: reading.app, mistakes: [...reading.mistakes, ...loggerMistakes('serveWorkers()', logger)] },
    {
      name: nameOf(module),
      logger: await loggerOf(logger),
      closeTimeout: closeTimeout === false ? 0 : closeTimeout,
      directoryOf: call => (call instanceof RelayedCall ? call.directory : undefined),
    },
  );
  let node: MeshNode | undefined;
  let host: WorkerHost;
  try {
    await assembly.start();
    node = new MeshNode(await mesh.connect(), realClock);
    void new MeshChannels(node, assembly.channelRouter);
    host = new WorkerHost({ name, zone, node, workforce: assembly.workforce, workers: served });
    await host.start();
  } catch (error) {
    await assembly.app.close({ timeout: 1 });
    await node?.close();
    throw error;
  }
  return running({ assembly, node, host, closeTimeout, signals });
}

interface Parts {
  readonly assembly: { readonly app: import('../app.js').App };
  readonly node: MeshNode;
  readonly host: WorkerHost;
  readonly closeTimeout: Duration | Off;
  readonly signals: boolean;
}

function running({ assembly, node, host, closeTimeout, signals }: Parts): ServedWorkers {
  const { app } = assembly;
  let closing: Promise<boolean> | undefined;
  const end = async (timeout: number, isDraining: boolean): Promise<boolean> => {
    const isWhole = isDraining ? await host.drain(timeout) : host.calls === 0;
    host.close();
    const { graceful } = await app.close({ timeout: isWhole ? timeout : 1 });
    await node.close();
    remove();
    return isWhole && graceful;
  };
  const drain = (timeout: Duration | Off): Promise<boolean> => (closing ??= end(toMilliseconds(timeout), true));
  const close = async (): Promise<void> => void (await (closing ??= end(1, false)));
  const exit = (isGraceful: boolean): never => process.exit(isGraceful ? 0 : 1);
  const remove = signals
    ? handleSignals({
        first: () => void drain(closeTimeout).then(exit, () => exit(false)),
        second: () => host.close(),
      })
    : () => {};
  return {
    name: host.name,
    describe: () =>
      [`Worker host ${host.name} (pid ${process.pid}): ${host.sessions} callers, ${host.calls} calls`, app.describe()].join('\n'),
    drain: async ({ timeout = closeTimeout } = {}) => ({
      graceful: await drain(timeout).catch((error: unknown) => Promise.reject(asError(error))),
    }),
    close,
    [Symbol.asyncDispose]: close,
  };
}
