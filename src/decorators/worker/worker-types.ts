import type { CrashReason } from '../../errors.js';
import type { Runtime } from '../../hosts/runtimes.js';
import type { AnySchema } from '../../schema.js';
import type { Duration, Off, Size } from '../../units.js';
import type { Ctor } from '../ctor.js';
import type { Provider } from '../injection/provider-types.js';
import type { WorkerHandle, WorkerProcess } from './process-types.js';
import type { ProxyShape } from './proxy-types.js';
import type { OptionsArg, OptionsOf } from './task-types.js';

export type { WorkerHandle, WorkerProcess };

/** Options of how and where a pool's processes run. */
export interface PoolOptions {
  /** Processes kept even when idle. Default 1; 0 is allowed. */
  minWorkers?: number | undefined;
  /** Processes at most. 'cores': as many as the machine lets this process use. Default 1. */
  maxWorkers?: number | 'cores' | undefined;
  /** Ready processes beyond the busy ones. Default 0. */
  spare?: number | undefined;
  /** An idle process beyond `minWorkers` ends after this. Default 1m. */
  idleTimeout?: Duration | Off | undefined;
  /** Calls running at once in one process. Default 1. */
  concurrency?: number | undefined;
  /** Calls waiting at the process. 'auto' (default): what it lately finished in 1 ms, at most 256. */
  prefetch?: 'auto' | number | undefined;
  /** Calls waiting. Default 10 000. When full, the caller with the most waiting calls is refused. */
  maxQueue?: number | Off | undefined;
  /**
   * Bytes of the arguments of calls waiting, those of one turn that share an unchanged argument counted once. At the limit the caller whose
   * calls keep most is refused with a `WorkerBusyError`. Default '256mb'.
   */
  maxQueueBytes?: Size | Off | undefined;
  /** Calls of one caller waiting. Default: a tenth of `maxQueue` for connections, none for the application's own clients. */
  maxQueuePerCaller?: number | Off | undefined;
  /** Default none; 30s for calls made inside tasks. */
  queueTimeout?: Duration | Off | undefined;
  /** The hard one: the process is killed. Default none, and bootstrap warns. */
  timeout?: Duration | Off | undefined;
  /** Aborts the task's signal. Default none. */
  softTimeout?: Duration | Off | undefined;
  /** From the abort of a signal to the hard end. Default 5s. After a quarter of it calls that wait for the process get another one. */
  cancelGrace?: Duration | Off | undefined;
  /** Default 30s. */
  startTimeout?: Duration | Off | undefined;
  /** How long it may take to stop. Default 10s. A quarter of it, 2.5 s at most, is kept for `@OnStop`: connections are cut off before. */
  closeTimeout?: Duration | Off | undefined;
  /** How long streams and connections may go on when a process is recycled. Default 5m. */
  drainTimeout?: Duration | Off | undefined;
  /** A stream without credit. Default 30s. */
  stallTimeout?: Duration | Off | undefined;
  /**
   * For workers on other machines: how long a call waits while no host serves it, then `WorkerUnavailableError`; `0`: not at all.
   * Default 5s.
   */
  waitForHost?: Duration | Off | undefined;
  /** Bytes of one value, either direction. Default 16mb. */
  maxMessageSize?: Size | Off | undefined;
  /** Where it runs: a process of its own (default), a thread of the master's process, or the master itself. */
  runtime?: Runtime | undefined;
  restart?: RestartOptions | undefined;
  /** Idle workers are pinged. Default every 5s, grace 15s. */
  heartbeat?: { every: Duration; grace: Duration } | Off | undefined;
  /** Recycled after so many calls. Default none. */
  maxTasksPerWorker?: number | Off | undefined;
  /** Recycled above this RSS, killed above 1.5 times. Default none. */
  maxMemory?: Size | Off | undefined;
  /** V8's own limits, megabytes. */
  resourceLimits?: ResourceLimits | undefined;
  execArgv?: readonly string[] | undefined;
  argv?: readonly string[] | undefined;
  cwd?: string | undefined;
  /** Replaces the environment: only PATH, HOME, TZ, LANG, NODE_ENV and what is listed. Default: the parent's. */
  env?: NodeJS.ProcessEnv | undefined;
  /** Together with `gid`. */
  uid?: number | undefined;
  gid?: number | undefined;
  permissions?: Permissions | undefined;
  /** Which side checks messages against the schemas. Default 'receiver'. */
  validate?: 'receiver' | 'both' | 'off' | undefined;
  /** `import.meta.url` of the declaring module, where it cannot be found by itself. */
  source?: string | undefined;
}

/** Only failed starts count: died before it was ready, or within 1 s of it without finishing a call. */
export interface RestartOptions {
  /** Default 5 … */
  maxFailedStarts?: number | undefined;
  /** … within 10s: then calls reject, and one start is tried per `maxDelay`. */
  within?: Duration | undefined;
  /** Before the second attempt; doubles. Default 100ms. */
  delay?: Duration | undefined;
  /** Default 10s. */
  maxDelay?: Duration | undefined;
}

/** Limits of V8 for each process or thread of a worker, in megabytes, as in `worker_threads`. */
export interface ResourceLimits {
  maxOldGenerationSizeMb?: number | undefined;
  maxYoungGenerationSizeMb?: number | undefined;
  stackSizeMb?: number | undefined;
}

/** Permissions of a worker process, enforced by Node's permission model. */
export interface Permissions {
  read?: readonly string[] | undefined;
  write?: readonly string[] | undefined;
  childProcess?: boolean | undefined;
  workerThreads?: boolean | undefined;
  addons?: boolean | undefined;
}

/** The options of `@Worker`. */
export interface WorkerOptions<P extends Ctor<ProxyShape> = Ctor<ProxyShape>> extends PoolOptions {
  /** Started at bootstrap (default), or only by `workers.start()`. */
  autoLoad?: boolean | undefined;
  /** The class that stands in front of it in the master, or a function that returns it where order or cycles forbid it. */
  proxy?: P | (() => P) | undefined;
  /** Schema of `workers.start(W, { options })`; the worker gets its output: `Options<typeof schema>`. */
  startOptions?: AnySchema | undefined;
  /** Which process accepts for `connections`: the master, which passes sockets on (default), or all processes on a shared socket. */
  accept?: 'master' | 'shared' | undefined;
  /** Connection classes that listen or dial inside the worker's process. */
  connections?: readonly Ctor[] | undefined;
  providers?: readonly Provider[] | undefined;
  imports?: readonly Ctor[] | undefined;
}

/** Why a worker's process is gone. */
export interface ExitReason {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /**
   * Crash reason that calls in flight are given; 'timeout' where one overran its `timeout` or `cancelGrace`: its neighbours are given
   * 'neighbour'.
   */
  readonly reason: Exclude<CrashReason, 'neighbour'> | 'timeout';
  readonly error?: Error | undefined;
}

/** A row of `workers.status()`: one process, as the master sees it. */
export interface WorkerStatus {
  readonly name: string;
  readonly key: string | undefined;
  /** The process's, never reused; undefined where none runs. */
  readonly id: string | undefined;
  /** `'local'`, or the name of the machine that the process runs on; undefined where none runs. */
  readonly host: string | undefined;
  readonly pid: number | undefined;
  readonly state: WorkerHandle['state'];
  /** Calls that run in the process. */
  readonly running: number;
  /** Calls that wait at the process. In the first row of a pool also those that wait for any of its processes: the sum is the pool's. */
  readonly queued: number;
  /**
   * Calls that the process has answered, and those that it has failed. In the first row of a pool also those of processes that have ended,
   * where what a process had begun and not answered has failed: the sums are the pool's, and only grow.
   */
  readonly done: number;
  readonly failed: number;
  /** Counts of the whole pool, equal in each of its rows. */
  readonly pool: { queued: number; done: number; failed: number };
  /** Processes of the pool that were replaced. */
  readonly restarts: number;
  /** Bytes; undefined where the system does not show it. */
  readonly rss: number | undefined;
  readonly startedAt: Date;
  /** The last value that the worker gave to `status()`. */
  readonly status: unknown;
}

/** Events of `workers.on()`. */
export interface WorkersEvents {
  start: [process: WorkerProcess];
  ready: [process: WorkerProcess];
  exit: [process: WorkerProcess, why: ExitReason];
  restart: [process: WorkerProcess];
  gaveUp: [handle: WorkerHandle, error: Error];
  message: [data: unknown, process: WorkerProcess];
}

/** The second argument of `workers.start`: `options` are required where the worker declares some. */
export type StartArgs<C> = OptionsArg<OptionsOf<C>, { key?: string | undefined }>;
