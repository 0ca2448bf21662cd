import type { Duplex } from 'node:stream';

/** How long after a process has ended its host tells so at the latest, in milliseconds. */
export const EXIT_REPORT = 500;

/** How a worker's process is set up: the part of the worker's settings that its host keeps. */
export interface HostSettings {
  readonly resourceLimits: {
    readonly maxOldGenerationSizeMb?: number;
    readonly maxYoungGenerationSizeMb?: number;
    readonly stackSizeMb?: number;
  };
  readonly execArgv: readonly string[];
  readonly argv: readonly string[];
  readonly cwd: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>> | undefined;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  readonly permissions: Readonly<Record<string, unknown>> | undefined;
}

/** A socket below Node's streams: what can be passed to another process. */
export interface SocketHandle {
  close(): void;
}

/** The way on which sockets reach one worker. In order; what each one is, is said over the link under the same id. */
export interface SocketChannel {
  /** Passes one; ours stays open. `failed`: it will never arrive. */
  pass(id: number, handle: SocketHandle, failed: () => void): void;
  /** The worker has it for good: ours is closed, where that is another one. */
  release(handle: SocketHandle): void;
}

/** Everything a host needs to launch one worker. The class to run follows over the link, in BOOT, from the link's other end. */
export interface HostSpec {
  /** The worker's name and key: for messages, and for the process's title. */
  readonly name: string;
  readonly key: string | undefined;
  /** The worker's class: what an inline host instantiates. A process host does not touch it: its child finds the class by name. */
  readonly cls: abstract new (...args: never[]) => object;
  /** url of the module that declares the class. */
  readonly source: string | undefined;
  readonly settings: HostSettings;
  /** Sockets will be passed to it. */
  readonly takesSockets?: boolean | undefined;
  /** One line that the worker wrote to its stdout or stderr, without its line ending, cut at 16 KB. */
  onOutput(line: string, stream: 'stdout' | 'stderr'): void;
}

/** How a worker's process ended. */
export interface HostExit {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last lines of stderr, at most a few KB. */
  readonly stderr: string;
  /** The worker ran out of memory: the heap limit, or the system's. */
  readonly memory: boolean;
  /** The system's error because of which the worker could not be launched. */
  readonly error?: Error | undefined;
  /** The machine that it runs on cannot be reached any more: why. */
  readonly lost?: string | undefined;
  /** The worker never became ready because of a mistake that will be there the next time, too (a flag, a folder, a module). */
  readonly permanent?: boolean | undefined;
}

/** One running worker: its bytes, and what can be seen and done from outside its memory. */
export interface HostProcess {
  /** The process that it runs in: information, for inline workers and threads share the master's. 0 where it could not be launched. */
  readonly pid: number;
  /** The name of the machine that it runs on; undefined: this one. */
  readonly machine?: string | undefined;
  /** The link's bytes. It has an error listener from birth; its end or error is the worker's death, like `onExit`, whichever comes first. */
  readonly stream: Duplex;
  /** The highest call id that may have begun, 0 for none: read at the worker's death, from where the worker cannot lie afterwards. */
  mark(): number;
  /** Sends a signal; nothing happens when it is gone already. */
  kill(signal: NodeJS.Signals): void;
  /** Called once, after exit and after the last byte of stderr, within {@link EXIT_REPORT}; at once when that has happened already. */
  onExit(exited: (exit: HostExit) => void): void;
  /** Resident bytes, where the system shows them. */
  rss(): number | undefined;
  /** True when the system shows the process as stopped (state T). */
  isStopped(): boolean;
  /** There where the spec says that it takes sockets. */
  readonly sockets?: SocketChannel | undefined;
  /** Whether this worker keeps the master's event loop running: while it has calls, or starts, or stops. It is born with true. */
  keepAlive(yes: boolean): void;
}

/**
 * Where workers run: one file per runtime, this one interface.
 * @example const host: Host = processHost({ entry: new URL('./worker-main/main.js', import.meta.url) }); const { pid, stream } = host.start(spec);
 */
export interface Host {
  /** The name of the runtime, as the option `runtime` has it. */
  readonly runtime: string;
  /** Its workers run in the master's heap and event loop: a socket given to them is the master's own. */
  readonly sharesMaster?: boolean;
  /** Memory can be moved to its workers and shared with them. */
  readonly sharesMemory?: boolean;
  /** Accepted sockets cannot be passed to its workers: they listen by themselves. */
  readonly listensAlone?: boolean;
  /** Launches one. Never throws: what the system refuses arrives in `onExit` as `error`. */
  start(spec: HostSpec): HostProcess;
  /** Ends what the host itself holds (the reaper), once no worker is left. Idempotent. */
  close(): Promise<void>;
}
