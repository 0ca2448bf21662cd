import type { WorkerStatus } from '../../decorators/worker/worker-types.js';
import type { Call } from '../call/call.js';
import type { PooledProcess } from '../process/pooled-process.js';

/** Figures of a pool in one row of `status()`, before those of the pool as a whole are known. */
export type StatusRow = Omit<WorkerStatus, 'pool'>;

/** Callbacks of a pool about its processes. */
export interface Crew {
  /** A process takes calls from now on. */
  onReady(process: PooledProcess): void;
  /** A process takes no more calls. */
  onUnavailable(process: PooledProcess): void;
  /** A process has exited. */
  onExited(process: PooledProcess): void;
  /** A call of it is over. */
  onCallOver(process: PooledProcess): void;
  onLingering(process: PooledProcess): void;
  /** A process was given another call. */
  onCallSent(process: PooledProcess): void;
  /** A process has nothing to do. */
  onIdle(process: PooledProcess): void;
  onUncaughtError(process: PooledProcess, error: Error, untold: number): void;
  onOutput(process: PooledProcess, line: string, stream: 'stdout' | 'stderr'): void;
}

/** The part of a pool that runs on other machines: one process for each host that serves the worker. */
export interface RemoteCrew extends Crew {
  readonly all: readonly PooledProcess[];
  /** Those that take calls. */
  readonly ready: readonly PooledProcess[];
  /** The pool has no processes of its own. */
  readonly isAlone: boolean;
  /** The host for the next call, of those that fit. */
  choose(fits: (process: PooledProcess) => boolean): PooledProcess | undefined;
  /** The host for calls of this affinity; undefined: there is none now. */
  homeOf(affinity: string): PooledProcess | undefined;
  /** A call waits in the queue: for how long, where there is no host, is decided here. */
  onQueued(call: Call): void;
  /** Looks for hosts. Resolves when calls can be made, or it is known that they will have to wait; rejects when no host may serve it. */
  start(): Promise<void>;
  /** Replaces the processes of all linked hosts, the replacement first. Rejects with the first host's reason why it cannot. */
  restart(): Promise<void>;
  status(): readonly StatusRow[];
  /** Ends all links; with `overdue` those that have calls at once. Hosts that did not let go in time are counted. */
  stop(timeout: number, overdue: boolean): Promise<void>;
}
