import type { ProfileRequest } from '../../profiling/profile-request.js';

/** One listening endpoint. */
export interface ListenerFacts {
  readonly handler: string;
  readonly url: string;
  readonly connections: number;
}

/** One connection that is kept up by dialling. */
export interface DialerFacts {
  readonly handler: string;
  readonly url: string;
  readonly state: string;
  readonly attempts: number;
}

/** One open connection of the master. */
export interface ConnectionFacts {
  readonly id: string;
  readonly handler: string;
  readonly remote: string;
  readonly local: string;
  /** Milliseconds since the epoch. */
  readonly openedAt: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Bytes that wait to be sent. */
  readonly buffered: number;
  readonly dialled: boolean;
}

/** An open connection before its facts are read: there may be thousands. */
export interface ConnectionView {
  readonly id: string;
  /** Id, class and address of the remote side in lower case: what a filter looks for. */
  readonly text: string;
  facts(): ConnectionFacts;
}

/** One started (worker, key). */
export interface PoolFacts {
  /** `name`, or `name[key]`. */
  readonly id: string;
  readonly state: string;
  readonly paused: boolean;
  readonly runtime: string;
  /** The url of the module that declares the worker, where it is known. */
  readonly source: string | undefined;
  /** Processes on this machine. */
  readonly processes: number;
  /** Processes of other machines that take its calls, too, as far as these have told of them. */
  readonly remote: number;
  /** All its calls go to other machines. */
  readonly isRemote: boolean;
  readonly min: number;
  readonly max: number;
  readonly running: number;
  readonly queued: number;
  readonly done: number;
  readonly failed: number;
  readonly restarts: number;
  /** Bytes of all its processes; 0 where the system does not show it. */
  readonly rss: number;
  readonly connections: number;
}

/** One process of a pool. */
export interface ProcessFacts {
  readonly id: string;
  readonly pool: string;
  /** `'local'`, or the name of the machine that it runs on: there it is acted upon. */
  readonly host: string;
  /** Undefined: a machine that has not told of its processes yet. */
  readonly pid: number | undefined;
  readonly state: string;
  readonly running: number;
  readonly queued: number;
  readonly done: number;
  readonly failed: number;
  readonly rss: number | undefined;
  readonly connections: number;
  readonly startedAt: number;
  /** The process's `status()`, as one line. */
  readonly status: string | undefined;
}

/** One call that a process has. */
export interface CallFacts {
  readonly pool: string;
  readonly task: string;
  readonly process: string;
  /** `'local'`, or the name of the machine that has it. */
  readonly host: string;
  readonly pid: number | undefined;
  /** Number on the process's link. */
  readonly number: number;
  readonly caller: string;
  readonly state: 'running' | 'waiting' | 'given up';
  /** Milliseconds since it began; 0: it waits. */
  readonly age: number;
  readonly attempt: number;
}

/** A running application, to be looked at and acted upon: what the page, and whatever else operates it, is made of. */
export interface Inspection {
  /** The application's name, by which its events are known. */
  readonly name: string;
  listeners(): readonly ListenerFacts[];
  dialers(): readonly DialerFacts[];
  pools(): readonly PoolFacts[];
  /** The processes of one pool, oldest first, those of other machines behind. */
  processes(pool: string): readonly ProcessFacts[];
  /** Open connections of the master, and requests under way. */
  readonly connectionCount: number;
  connections(): Iterable<ConnectionView>;
  calls(): Iterable<CallFacts>;
  /** Another process has taken over: resolves when clients that ask for one thing after the other have had their last answers. */
  handOver(): Promise<void>;
  /** False: there is none of that id, any more. */
  disconnect(connection: string): boolean;
  killProcess(process: string): boolean;
  /** Replaces it: the replacement first. */
  restartProcess(process: string): boolean;
  /** Replaces all processes of a pool, one after the other. Throws UsageError when there is no such pool. */
  restartPool(pool: string): Promise<void>;
  pausePool(pool: string, paused: boolean): void;
  scalePool(pool: string, min: number, max: number): void;
  /**
   * Takes a profile of a process, or of the master where none is named: its text in pieces, from the first `next()` on. It ends when the signal
   * aborts. Throws ProfileError, or rejects with one.
   */
  profile(process: string | undefined, request: ProfileRequest, signal: AbortSignal): AsyncIterableIterator<Uint8Array>;
}
