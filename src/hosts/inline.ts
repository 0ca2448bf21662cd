import type { Duplex } from 'node:stream';
import { guard } from '../guard.js';
import { asError } from '../errors.js';
import type { Host, HostExit, HostProcess, HostSpec, SocketHandle, SocketChannel } from './host.js';
import type { InlineHostOptions, InlineWorker } from './inline-types.js';
import { registerHost } from './registry.js';
import { setImmediate } from '../system-timers.js';

/**
 * Runs workers inside the master: the same bytes over the same link, nothing of the isolation. For tests, and for tasks so small that
 * a process is not worth it. Memory, loops and crashes are shared with the master; limits, environment and rights cannot be kept.
 */
class InlineHost implements Host {
  readonly runtime = 'inline';
  readonly sharesMemory = true;
  readonly sharesMaster = true;
  readonly #options: InlineHostOptions;

  constructor(options: InlineHostOptions) {
    this.#options = options;
  }

  start(spec: HostSpec): HostProcess {
    return new InlineProcess(this.#options, spec);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

class InlineProcess implements HostProcess {
  readonly pid = process.pid;
  readonly stream: Duplex;
  /** Hands over the socket object itself, because both sides are one process: nothing is copied, nothing closed. */
  readonly sockets: SocketChannel = {
    pass: (id, handle, failed) => setImmediate(() => (this.#worker?.receive && !this.#exit ? this.#worker.receive(id, handle) : failed())),
    release: handle => {
      if (this.#abandoned.has(handle)) handle.close();
      else this.#released.add(handle);
    },
  };
  /** Sockets that the worker keeps, and those that it never began with. A socket in both has no owner, and is closed. */
  readonly #released = new WeakSet<SocketHandle>();
  readonly #abandoned = new WeakSet<SocketHandle>();
  /** The worker's end of the link. */
  readonly #inside: Duplex;
  readonly #worker: InlineWorker | undefined;
  #exit: HostExit | undefined;
  #waiting: ((exit: HostExit) => void)[] = [];

  constructor({ pair, start }: InlineHostOptions, spec: HostSpec) {
    const [outside, inside] = pair();
    this.stream = outside;
    this.#inside = inside;
    outside.on('error', () => {});
    inside.on('error', () => {});
    // As a process ends with its link: the master has destroyed its end, or the worker its own.
    inside.once(
      'close',
      guard(inside, () => this.#end({ exitCode: 0 })),
    );
    try {
      this.#worker = start(
        inside,
        spec,
        clean => this.#end({ exitCode: clean ? 0 : 1 }),
        handle => {
          if (this.#released.has(handle)) handle.close();
          else this.#abandoned.add(handle);
        },
      );
    } catch (error) {
      this.#end({ exitCode: 1, error: asError(error) });
    }
  }

  mark(): number {
    return this.#worker?.mark() ?? 0;
  }

  /** Nothing of it reaches the master any more. What it is just doing cannot be stopped: that is what processes are for. */
  kill(signal: NodeJS.Signals): void {
    if (signal !== 'SIGKILL' && signal !== 'SIGTERM') return;
    this.#end({ signal });
  }

  onExit(exited: (exit: HostExit) => void): void {
    if (this.#exit) exited(this.#exit);
    else this.#waiting.push(exited);
  }

  /** Undefined: it is the master's own memory, none of it this worker's alone. */
  rss(): undefined {}
  isStopped(): boolean {
    return false;
  }
  /** An inline worker holds nothing that keeps a loop running. */
  keepAlive(): void {}

  #end({ exitCode = null, signal = null, error }: { exitCode?: number | null; signal?: NodeJS.Signals | null; error?: Error }): void {
    if (this.#exit) return;
    this.#exit = { exitCode, signal, stderr: '', memory: false, ...(error && { error }) };
    this.#inside.destroy();
    const waiting = this.#waiting;
    this.#waiting = [];
    // In a turn of its own: a kill in the midst of something is told when that is over, as the system does it.
    setImmediate(() => {
      for (const exited of waiting) exited(this.#exit!);
    });
  }
}

/**
 * The host of workers that share the master's process.
 * @example const host = inlineHost({ pair: duplexPair, start: startInline });
 */
export function inlineHost(options: InlineHostOptions): Host {
  return new InlineHost(options);
}

registerHost({
  runtime: 'inline',
  cannotKeep: ['uid', 'gid', 'permissions', 'resourceLimits', 'env', 'execArgv', 'argv', 'cwd', 'maxMemory', 'heartbeat'],
  sharesMaster: true,
  sharesProcess: true,
  start: ({ inline }) => inlineHost(inline),
});
