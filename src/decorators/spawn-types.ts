import type { Logger } from '../logger.js';
import type { WorkerClient } from './client-types.js';
import type { Ctor } from './ctor.js';
import type { OptionsArg, OptionsOf } from './task-types.js';
import type { PoolOptions } from './worker-types.js';

/** What `spawn()` may be told: any option of `@Worker` that a lone pool has. */
export interface SpawnOptions extends PoolOptions {
  key?: string | undefined;
  /** Workers that it calls by name; those that it injects by class start along. */
  workers?: readonly Ctor[] | undefined;
  logger?: Logger | false | undefined;
}

/** The second argument of `spawn`: `options` are required where the worker declares some. */
export type SpawnArgs<C> = OptionsArg<OptionsOf<C>, SpawnOptions>;

/** A worker client with a pool of its own. A task may not be named `close`. */
export type Spawned<C extends Ctor> = WorkerClient<InstanceType<C>> & AsyncDisposable & { close(): Promise<void> };
