/** A worker put together by hand, as the blueprint would have it: for specs that need one and no container. */
import { z } from 'zod';
import { NO_AROUNDS } from '../../../src/blueprint/arounds.js';
import type { TaskBlueprint, WorkerBlueprint, WorkerSettings } from '../../../src/blueprint/types.js';
import { toSettings } from '../../../src/blueprint/worker/worker-settings.js';
import { toValidator } from '../../../src/schema.js';
import type { CreatedWorker, LoadedWorker, WorkerEnvironment } from '../../../src/tasks/index.js';
import { PROTOCOL_VERSION, type BootMessage } from '../../../src/wire/link/protocol.js';

/** Every default, but for pings: their timers would be in the way. */
export const workerSettings: WorkerSettings = { ...toSettings({}), heartbeat: false };

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
