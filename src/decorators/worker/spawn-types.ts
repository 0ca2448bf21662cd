import type { Logger } from '../../logger.js';
import type { Duration, Off } from '../../units.js';
import type { WorkerClient } from './client-types.js';
import type { CloseSummary } from '../connection/close-types.js';
import type { Ctor } from '../ctor.js';
import type { OptionsArg, OptionsOf } from './task-types.js';
import type { PoolOptions } from './worker-types.js';

/** Options of `spawn()`: any option of `@Worker` that a lone pool has. */
export interface SpawnOptions extends PoolOptions {
  key?: string | undefined;
  /** Workers that it calls by name; those that it injects by class start along. */
  workers?: readonly Ctor[] | undefined;
  logger?: Logger | false | undefined;
}

/** The second argument of `spawn`: `options` are required where the worker declares some. */
export type SpawnArgs<C> = OptionsArg<OptionsOf<C>, SpawnOptions>;

/** How a spawned pool ends. */
export interface SpawnedPool extends AsyncDisposable {
  /**
   * Finishes what runs and waits, at most until `timeout` (the worker's `closeTimeout`, '10s'; `false`: however long it takes), then ends
   * the processes; what is cut off is in the summary. Rejects with a UsageError, and goes on, when `timeout` is no duration; else never. A
   * second call returns the same promise.
   * @example const { graceful } = await evaluator.close({ timeout: '2s' });
   */
  close(options?: { timeout?: Duration | Off | undefined }): Promise<CloseSummary>;
}

/** A worker client with a pool of its own. A task may not be named `close`. */
export type Spawned<C extends Ctor> = WorkerClient<InstanceType<C>> & SpawnedPool;
