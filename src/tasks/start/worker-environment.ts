import type { RecordSink } from '../../logging/record-logger.js';
import type { WorkerBlueprint } from '../../blueprint/types.js';
import type { BootMessage, ListensMessage } from '../../wire/link/protocol.js';
import type { SocketService } from '../sockets/socket-receiver.js';
import type { Channels } from '../../channels/channel.js';
import type { Master } from '../master.js';

/** The runtime, as a worker's container sees it. */
export interface WorkerEnvironment {
  readonly boot: BootMessage;
  /** The value of an injected `Master`. */
  readonly master: Master;
  /**
   * The client of another worker, for injection.
   * @throws WorkerNotFoundError when the application has no worker of that name.
   */
  /** @param within the caller that its calls name where their options name none: they share the process's turn */
  client(worker: string, key: string | undefined, within?: string): object;
  /** How many connections the worker has open now, and how many of them came in: a process that has some is not idle. */
  reportConnections(connections: number, inbound: number): void;
  /** Connects the channels of this process to those of others. */
  connectChannels(channels: Channels): void;
  /** The worker listens by itself. */
  reportListening(message: ListensMessage): void;
  /** Takes what loggers write here. */
  readonly records: RecordSink;
  /** Tells the master of an error that no caller waits for: a timer's, a connection's. The worker goes on. */
  onUncaughtError(error: unknown): void;
}

/** A worker that has been built and started. */
export interface CreatedWorker {
  readonly instance: object;
  /** Where it has connections. */
  readonly sockets?: SocketService | undefined;
  /**
   * Runs `@OnStop` of the worker and of what it brought along; what it throws is told to the master. `within`: milliseconds until the
   * process is killed, 0 for never. Called again where there is less time than was said: the end is the same one.
   */
  stop(within: number): Promise<void>;
  /** The link has gone without STOP, inside a process that lives on: timers and sockets must end, no hook runs. */
  onDropped?(): void;
}

/** A worker whose module has been imported. */
export interface LoadedWorker {
  readonly blueprint: WorkerBlueprint;
  /** A test puts another object in the place of the instance: which of its methods look at their context is not known before. */
  readonly isReplaced?: boolean | undefined;
  /** Builds the instance with all it needs and runs `@OnStart`, in the order of dependency. What it throws is why the worker cannot start. */
  create(environment: WorkerEnvironment): Promise<CreatedWorker>;
}

/** Finds the declaration that BOOT names: imports its module, or has it already. */
export type LoadWorker = (boot: BootMessage) => Promise<LoadedWorker>;
