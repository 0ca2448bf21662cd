import { z } from 'zod';
import { NO_AROUNDS } from '../../../src/blueprint/arounds.js';
import type { TaskBlueprint, WorkerBlueprint, WorkerSettings } from '../../../src/blueprint/types.js';
import { toValidator } from '../../../src/schema.js';
import { taskOf as task, workerSettings as settings } from '../../kit/workers/worker-fixture.js';

export { settings, task };

const any = toValidator(z.unknown());

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
