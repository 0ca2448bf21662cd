/** A worker put together by hand, as the blueprint would have it: for specs that need one and no container. */
import { z } from 'zod';
import { NO_AROUNDS } from '../../../src/blueprint/arounds.js';
import type { TaskBlueprint, WorkerBlueprint, WorkerSettings } from '../../../src/blueprint/types.js';
import { toValidator } from '../../../src/schema.js';
import type { CreatedWorker, LoadedWorker, WorkerEnvironment } from '../../../src/tasks/index.js';
import { PROTOCOL_VERSION, type BootMessage } from '../../../src/wire/link/protocol.js';

export const workerSettings: WorkerSettings = {
  autoLoad: true,
  minWorkers: 1,
  maxWorkers: 1,
  spare: 0,
  idleTimeout: 60_000,
  concurrency: 1,
  prefetch: 'auto',
  maxQueue: 10_000,
  maxQueueBytes: 256 * 1024 * 1024,
  maxQueuePerCaller: undefined,
  queueTimeout: undefined,
  timeout: 0,
  softTimeout: 0,
  cancelGrace: 5_000,
  startTimeout: 30_000,
  closeTimeout: 10_000,
  drainTimeout: 300_000,
  stallTimeout: 30_000,
  waitForHost: 5_000,
  maxMessageSize: 16 * 1024 * 1024,
  runtime: 'process',
  accept: 'master',
  restart: { maxFailedStarts: 5, within: 10_000, delay: 100, maxDelay: 10_000 },
  heartbeat: false,
  maxTasksPerWorker: 0,
  maxMemory: 0,
  resourceLimits: {},
  execArgv: [],
  argv: [],
  cwd: undefined,
  env: undefined,
  uid: undefined,
  gid: undefined,
  permissions: undefined,
  validate: 'receiver',
};

const any = toValidator(z.unknown());

/** A task that takes and gives anything, unless more is said. */
export function taskOf(name: string, more: Partial<TaskBlueprint> = {}): TaskBlueprint {
  return { name, input: any, output: any, events: new Map(), idempotent: false, retries: 0, ...more };
}

/** The blueprint of a class whose listed methods are tasks. */
export function workerOf(
  cls: WorkerBlueprint['cls'],
  tasks: readonly TaskBlueprint[],
  more: Partial<WorkerBlueprint> = {},
): WorkerBlueprint {
  return {
    cls,
    name: 'fixture',
    className: cls.name,
    source: undefined,
    settings: workerSettings,
    written: new Set(),
    tasks: new Map(tasks.map(task => [task.name, task])),
    others: [],
    mailbox: [],
    start: [],
    stop: [],
    timers: [],
    arounds: NO_AROUNDS,
    parameters: [],
    proxy: () => undefined,
    connections: [],
    imports: [],
    providers: [],
    ...more,
  };
}

/** What a container would make of it. */
export function loaded(
  blueprint: WorkerBlueprint,
  create: (environment: WorkerEnvironment) => object | Promise<object> = () => new (blueprint.cls as new () => object)(),
  more: Partial<CreatedWorker> = {},
): LoadedWorker {
  return { blueprint, create: async environment => ({ instance: await create(environment), stop: () => Promise.resolve(), ...more }) };
}

export function bootMessage(more: Partial<BootMessage> = {}): BootMessage {
  return {
    version: PROTOCOL_VERSION,
    app: 'app',
    logLevel: 30,
    name: 'fixture',
    key: undefined,
    source: 'file:///fixture.js',
    options: undefined,
    concurrency: 1,
    maxMessageSize: 1024 * 1024,
    stallTimeout: 0,
    softTimeout: 0,
    validate: 'receiver',
    workers: [],
    ...more,
  };
}
