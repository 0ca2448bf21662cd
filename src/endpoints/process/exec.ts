import type { ChildProcess } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { failing, guard, NO_VICTIM } from '../../guard.js';
import { publish } from '../../diagnostics.js';
import { ConnectError } from '../../errors.js';
import type { ExitStatus } from '../../decorators/hook-types.js';
import type { Chunk } from '../../framing/framing.js';
import { OutputReader } from '../../hosts/output.js';
import type { EndpointTarget, ExecTarget, Remote, Scheme, Transport, TransportSink } from '../endpoint.js';
import { registerScheme } from '../endpoint.js';
import { PipeWriter } from './pipe-writer.js';
import { aborted, connectError } from '../system-errors.js';
import { nodeChildProcess } from '../node-modules.js';
import { clearTimeout, nextTick, setTimeout } from '../../system-timers.js';

/** How long a command may take to end after SIGTERM, and what it has left behind may be silent, in milliseconds. */
const PATIENCE = 2_000;

/** Commands, by pid, that have not ended or whose pipes are still open. */
const RUNNING = new Set<number>();

/** To a command and to what it has started: they are a process group. */
function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // The command has ended by itself meanwhile.
  }
}

/** Kills all at once when this process exits: there is no time for SIGTERM, and nothing could follow it up. */
function killAll(): void {
  for (const pid of RUNNING) signalGroup(pid, 'SIGKILL');
}

type Stderr = 'log' | 'ignore' | 'merge';

/** A running command as a transport: what it writes is read, what is written goes to its stdin. Closed when the process has ended. */
class ExecTransport implements Transport {
  readonly kind = 'stream';
  readonly remote: Remote;
  readonly local: Remote = { url: 'exec:', pid: process.pid };
  readonly raw: ChildProcess;
  readonly #stdin: Writable;
  readonly #writer: PipeWriter;
  /** Streams that are read: stdout, and stderr with 'merge'. */
  readonly #sources: readonly Readable[];
  /** Cuts stderr into lines, and lets a flood wait. */
  readonly #log: OutputReader | undefined;
  #sink: TransportSink | undefined;
  #error: Error | undefined;
  #destroyed = false;
  #exited = false;
  #ended = false;
  #closed = false;
  /** Sources that have not ended. */
  #left: number;
  /** There once the process is gone and its pipes are read to the end. */
  #status: ExitStatus | undefined;
  #kill: NodeJS.Timeout | undefined;

  constructor(child: ChildProcess, url: string, stderr: Stderr) {
    this.raw = child;
    this.remote = { url, pid: child.pid };
    // Made with pipes for all that is asked for here.
    this.#stdin = child.stdin!;
    this.#sources = stderr === 'merge' ? [child.stdout!, child.stderr!] : [child.stdout!];
    this.#left = this.#sources.length;
    if (stderr === 'log') {
      const tell = (line: string): void => publish('connection.output', { url, commandPid: child.pid, line });
      this.#log = new OutputReader(child.stderr!, tell, () => {});
    }
    if (RUNNING.size === 0) process.on('exit', killAll);
    RUNNING.add(child.pid!);
    // A command that reads no further is not over: it may have more to say.
    this.#stdin.on('error', () => {});
    this.#writer = new PipeWriter(this.#stdin, () => this.#sink?.drained());
    for (const source of this.#sources) source.on('error', () => {});
    child.on(
      'error',
      guard(this, (error: Error) => void (this.#error ??= error)),
    );
    child.once(
      'exit',
      guard(this, () => this.#exit()),
    );
    child.once(
      'close',
      guard(this, (code: number | null, signal: NodeJS.Signals | null) => {
        this.#status = { code, signal };
        RUNNING.delete(child.pid!);
        if (RUNNING.size === 0) process.off('exit', killAll);
        clearTimeout(this.#kill);
        if (this.#left > 0 && !this.#destroyed) this.#heardAll();
        if (this.#ended || this.#destroyed) this.#finish();
        else this.#sink?.unheard?.();
      }),
    );
  }

  get bufferedBytes(): number {
    return this.#writer.bufferedBytes;
  }

  get bytesWritten(): number {
    return this.#writer.bytesWritten;
  }

  open(sink: TransportSink): void {
    this.#sink = sink;
    for (const source of this.#sources) {
      source.on(
        'data',
        guard(this, (chunk: Buffer) => {
          if (this.#destroyed) return;
          if (this.#exited) this.#listenFor();
          sink.data(chunk);
        }),
      );
      source.once(
        'end',
        guard(this, () => {
          if (--this.#left === 0 && !this.#destroyed) this.#heardAll();
        }),
      );
    }
  }

  write(chunks: readonly Chunk[]): boolean {
    return this.#writer.write(chunks);
  }

  pause(): void {
    for (const source of this.#sources) source.pause();
  }

  resume(): void {
    for (const source of this.#sources) source.resume();
  }

  end(): void {
    this.#ended = true;
    this.#stdin.end();
    if (this.#status) nextTick(() => this.#finish());
  }

  destroy(error?: Error): void {
    if (this.#destroyed || this.#closed) return;
    this.#destroyed = true;
    this.#error ??= error;
    this.#letGo();
    if (this.#status) nextTick(() => this.#finish());
    else if (this.#exited) this.#signal('SIGKILL');
    else {
      this.#signal('SIGTERM');
      this.#kill = setTimeout(() => this.#signal('SIGKILL'), PATIENCE);
    }
  }

  /** Closes the pipes: otherwise a process that the command left behind would keep them open. */
  #letGo(): void {
    for (const stream of this.raw.stdio) stream?.destroy();
  }

  #heardAll(): void {
    this.#left = 0;
    this.#sink?.ended();
  }

  #exit(): void {
    this.#exited = true;
    clearTimeout(this.#kill);
    this.#log?.hurry();
    // Processes that the command has started end with it.
    if (this.#destroyed) this.#signal('SIGKILL');
    else this.#listenFor();
  }

  /** Listens to pipes that the command's children still hold: after a while of silence they are killed. */
  #listenFor(): void {
    clearTimeout(this.#kill);
    this.#kill = setTimeout(() => {
      if (this.#sources.some(source => source.isPaused() || source.readableLength > 0)) {
        this.#listenFor();
        return;
      }
      this.#signal('SIGKILL');
      this.#letGo();
    }, PATIENCE);
  }

  #signal(signal: NodeJS.Signals): void {
    // A running command has a pid.
    signalGroup(this.raw.pid!, signal);
  }

  /** The process ends before all that it said is handled: the connection is over when that is done, too. */
  #finish(): void {
    if (this.#closed || !this.#status || !(this.#ended || this.#destroyed)) return;
    this.#closed = true;
    this.#writer.close();
    this.#sink?.exited?.(this.#status);
    this.#sink?.closed(this.#error);
  }
}

function start({ command, args, options }: ExecTarget, stderr: Stderr): ChildProcess {
  const { env, cwd } = options as { env?: NodeJS.ProcessEnv; cwd?: string };
  // A group of its own: it is ended whole, and Ctrl-C is the application's to pass on.
  return nodeChildProcess().spawn(command, args, {
    env,
    cwd,
    detached: true,
    stdio: ['pipe', 'pipe', stderr === 'ignore' ? 'ignore' : 'pipe'],
  });
}

function connect({ url, exec: target }: EndpointTarget, signal: AbortSignal): Promise<Transport> {
  if (signal.aborted) return Promise.reject(aborted(url, signal));
  if (!target) return Promise.reject(new ConnectError(url, 'refused', 'a command is written as exec(command, [arguments])'));
  const stderr = (target.options['stderr'] as Stderr | undefined) ?? 'log';
  return new Promise((resolve, reject) => {
    let child: ChildProcess;
    try {
      child = start(target, stderr);
    } catch (error) {
      reject(connectError(url, error));
      return;
    }
    const failed = guard(NO_VICTIM, (error: Error) => reject(connectError(url, error)));
    const victim = failing(error => {
      child.kill('SIGKILL');
      failed(error);
    });
    child.once('error', failed);
    child.once(
      'spawn',
      guard(victim, () => {
        const transport = new ExecTransport(child, url, stderr);
        child.off('error', failed);
        if (!signal.aborted) {
          resolve(transport);
          return;
        }
        transport.destroy();
        reject(aborted(url, signal));
      }),
    );
  });
}

/**
 * `exec('tail', ['-f', path])`: a command of this machine; its stdout is read, its stdin written. Ending the connection ends its stdin;
 * destroying it is SIGTERM to the command and what it has started, then SIGKILL. The connection is closed when the process is gone.
 */
export const execScheme: Scheme = {
  name: 'exec',
  connect,
  check: ({ exec: target }) => (target ? undefined : "write exec('command', ['argument'])"),
};

registerScheme(execScheme);
