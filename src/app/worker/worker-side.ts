import { aroundClient } from '../../around/around-client.js';
import { aroundsFor } from '../../around/chain.js';
import { readConnection, readOwnWorker, readWorkerScope, refuse, valid } from '../../blueprint/index.js';
import type { Ctor, Token, WorkerBlueprint } from '../../blueprint/types.js';
import { realClock, type Clock, type ClockTimer } from '../../clock.js';
import { RecordLogger } from '../../logging/record-logger.js';
import { dialerOf, Reactor, ReactorCore } from '../../reactor/index.js';
import type { CreatedWorker, LoadedWorker, WorkerEnvironment } from '../../tasks/start/worker-environment.js';
import { connectionBuild } from '../connection-plan.js';
import type { Override } from '../container/container.js';
import { ShutdownDeadline } from '../../workers/pool/shutdown-deadline.js';
import { standIn } from '../container/stand-in.js';
import { ManagedProviders } from '../container/managed-providers.js';
import { workerContainer } from './worker-container.js';
import { WorkerListeners } from '../../multi-core/worker-listeners.js';

/**
 * Part of the time a worker has to stop, and milliseconds at most, that is kept for `@OnStop` and what is disposed of: connections which do
 * not end are cut off before. With all of it for the connections the kill would come first.
 */
const KEPT = { part: 0.25, most: 2_500 } as const;
/** How long what had started of a worker that cannot start gets to stop before the master is told why. Milliseconds. */
const FAILURE_GRACE = 1_000;

/**
 * The container of one worker: the same parts as the master's (reactor, providers, hooks), with the master at the other end of a link.
 * Its own process has one of it; the inline runtime makes one per worker.
 */
async function createWorker(
  worker: WorkerBlueprint,
  environment: WorkerEnvironment,
  clock: Clock,
  overrides: ReadonlyMap<Token, Override> | undefined,
): Promise<CreatedWorker> {
  const app = standIn(await readWorkerScope(worker), overrides?.get(worker.cls));
  refuse(app.mistakes);
  const logger = new RecordLogger(environment.records);
  const names = new Map<Ctor, string>();
  const nameFor = (other: Ctor | string): string => {
    if (typeof other === 'string') return other;
    let name = names.get(other);
    if (name === undefined) names.set(other, (name = valid(readOwnWorker(other)).name));
    return name;
  };
  const core = new ReactorCore({
    app: environment.boot.app,
    clock,
    handlers: {
      blueprintOf: cls => valid(readConnection(cls)),
      build: connection => connectionBuild(container, connection, clock, environment.boot.app),
    },
    onCount: (connections, inbound) => environment.reportConnections(connections, inbound),
  });
  environment.connectChannels(core.channels);
  const reactor = new Reactor(core);
  const container = workerContainer(
    worker,
    app,
    { reactor, channels: core.channels, logger },
    {
      master: () => environment.master,
      client: (other, key, owner, arounds = []) => {
        const name = nameFor(other);
        const tasks = environment.boot.workers.find(each => each.name === name);
        const streams = tasks?.tasks.map(task => [task, tasks.streams?.includes(task) ?? false] as const) ?? [];
        const about = { app: environment.boot.app, worker: name, key, tasks: streams };
        return aroundClient(environment.client(name, key, owner.group), about, aroundsFor('call', arounds));
      },
      options: environment.boot.options,
      overrides,
    },
  );
  refuse(container.mistakes);
  const residents = new ManagedProviders(container, {
    app: environment.boot.app,
    timers: core.timers,
    workers: undefined,
    readyProcesses: () => [],
    subscribe: (token, listener) => core.channels.subscribe(token as Ctor, listener),
  });
  const end = async (): Promise<void> => {
    core.destroy();
    await residents.stop();
    await container.dispose(error => environment.onUncaughtError(error), clock);
  };
  const sockets = app.connections.length > 0 ? new WorkerListeners(core, environment, app.connections) : undefined;
  const patience = new ShutdownDeadline(clock);
  const stop = async (): Promise<void> => {
    await core.stopListening();
    await patience.within(core.drain());
    patience.stop();
    await end();
  };
  let stopping: Promise<void> | undefined;
  let instance: object;
  try {
    // Built first: what it injects comes before it, and what only its providers need after it.
    instance = container.get(worker.cls) as object;
    await residents.start();
    await sockets?.open();
    for (const connection of app.connections) {
      for (const endpoint of connection.connect()) dialerOf(core, connection.cls, endpoint);
    }
  } catch (error) {
    // Inline there is no process whose end would end what had started.
    void core.stopListening();
    await within(clock, FAILURE_GRACE, end());
    throw error;
  }
  return {
    instance,
    sockets,
    stop: within => {
      patience.shorten(within - Math.min(within * KEPT.part, KEPT.most));
      return (stopping ??= stop());
    },
    onDropped: () => {
      void core.stopListening();
      core.destroy();
    },
  };
}

async function within(clock: Clock, milliseconds: number, done: Promise<void>): Promise<void> {
  let timer: ClockTimer | undefined;
  await Promise.race([done, new Promise<void>(resolve => (timer = clock.after(milliseconds, resolve)))]);
  timer?.cancel();
}

/** A worker class, ready to be built by whatever runtime it is in. */
export function loadedWorker(cls: Ctor, clock: Clock = realClock, overrides?: ReadonlyMap<Token, Override>): LoadedWorker {
  const blueprint = valid(readOwnWorker(cls));
  const replaced = overrides?.has(cls);
  return { blueprint, isReplaced: replaced, create: environment => createWorker(blueprint, environment, clock, overrides) };
}
