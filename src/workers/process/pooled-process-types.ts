import type { WorkerBlueprint } from '../../blueprint/types.js';
import type { Clock } from '../../clock.js';
import type { WorkerHandle } from '../../decorators/worker/worker-types.js';
import type { Host } from '../../hosts/host.js';
import type { BootMessage } from '../../wire/link/protocol.js';
import type { Call } from '../call/call.js';
import type { LostCall } from './in-flight.js';
import type { NestedCalls } from './nested-calls.js';

/**
 * starting: launched, not ready. ready: takes calls. draining: finishes what it has, takes nothing new. stopping: was told to stop.
 * dying: killed, or its link or process has ended. dead: settled, nothing is left of it.
 */
export type PooledProcessState = 'starting' | 'ready' | 'draining' | 'stopping' | 'dying' | 'dead';

/** The pool, as one of its processes (`P`) sees it. */
export interface PooledProcessHost<P> {
  /** The application's name, for events. */
  readonly app: string;
  readonly worker: WorkerBlueprint;
  readonly handle: WorkerHandle;
  readonly clock: Clock;
  readonly host: Host;
  /** Sockets are dealt or handed off to its processes. */
  readonly takesSockets: boolean;
  bootMessage(): BootMessage;
  nestedCalls(process: P): NestedCalls;
  /** The process takes calls from now on. */
  onReady(process: P): void;
  /** There is room for more calls. */
  onRoom(process: P): void;
  /** The process takes no more calls, from now on and for ever. */
  onUnavailable(process: P): void;
  /** The process has exited; `again`: calls to send again, `lost`: calls that may have begun. */
  onExited(process: P, again: readonly Call[], lost: readonly LostCall[]): void;
  onCallOver(process: P, call: Call): void;
  /** A task whose caller gave up has not ended within the first part of `cancelGrace`. */
  onLingering(process: P): void;
  /** The process has nothing to do. */
  onIdle(process: P): void;
  /** The number of its connections, or of sockets on their way, has changed. */
  onConnectionCount(process: P): void;
  /** The process listens by itself. */
  onListening(process: P, message: unknown): void;
  onUnsolicited(process: P, value: unknown): Promise<void> | void;
  /** `untold`: how many before it were too many to be told of. */
  onUncaughtError(process: P, error: Error, untold: number): void;
  onOutput(process: P, line: string, stream: 'stdout' | 'stderr'): void;
  /** A process of the machine that the process stands for has ended. Missing where it stands for itself. */
  onRemoteExit?(process: P, value: unknown): void;
}
