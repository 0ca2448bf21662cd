import { NO_AROUNDS } from '../../../src/blueprint/arounds.js';
import { z } from 'zod';
import type { TaskBlueprint, WorkerBlueprint, WorkerSettings } from '../../../src/blueprint/types.js';
import { toValidator } from '../../../src/schema.js';

export const settings: WorkerSettings = {
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

export function task(name: string, more: Partial<TaskBlueprint> = {}): TaskBlueprint {
  return { name, input: any, output: any, events: new Map(), idempotent: false, retries: 0, ...more };
}

/** `run` answers anything; `text` only strings; `nothing` nothing; `again` may be repeated; `count` streams; `take` receives; `tick` has an event. */
export const tasks: readonly TaskBlueprint[] = [
  task('run'),
  task('text', { input: toValidator(z.string()), output: toValidator(z.string()) }),
  task('nothing', { input: undefined, output: undefined }),
  task('again', { idempotent: true, retries: 1 }),
  task('count', { output: undefined, yields: toValidator(z.number()) }),
  task('countAgain', { output: undefined, yields: toValidator(z.number()), idempotent: true, retries: 1 }),
  task('take', { receives: any }),
  task('tick', { events: new Map([['progress', toValidator(z.number())]]) }),
  task('quick', { timeout: 100 }),
];

export function blueprint(own: Partial<WorkerSettings> = {}, more: Partial<WorkerBlueprint> = {}): WorkerBlueprint {
  return {
    cls: class Fixture {},
    name: 'fixture',
    className: 'Fixture',
    source: { url: 'file:///fixture.js', sure: true },
    settings: { ...settings, ...own },
    written: new Set(Object.keys(own)),
    tasks: new Map(tasks.map(each => [each.name, each])),
    others: ['helper'],
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
