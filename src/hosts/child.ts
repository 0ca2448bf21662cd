import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Duplex, Readable } from 'node:stream';
import { failing, guard, NO_VICTIM } from '../guard.js';
import { publish } from '../diagnostics.js';
import { asError } from '../errors.js';
import { LINK_FD } from './child-contract.js';
import { SocketChannelMaster } from './socket-channel.js';
import { EXIT_REPORT, type HostExit, type HostProcess, type HostSpec } from './host.js';
import { lastLines } from './last-lines.js';
import type { StartedMarkFile } from './mark-file.js';
import { deadStream } from './launch/not-launched.js';
import { OutputReader } from './output.js';
import { viewProcess } from './proc.js';
import type { Reaper } from './reaper.js';
import { isStartMistake } from './launch/start-mistakes.js';
import { clearTimeout, setImmediate, setTimeout } from '../system-timers.js';

/**
 * How long after the exit the last bytes of both outputs are read at most, in milliseconds. A grandchild that inherited one keeps it open,
 * and may write to it for ever. A wait for an exit must be longer than this: `EXIT_REPORT` of `host.ts`.
 */
const LAST_WORDS = EXIT_REPORT / 2;
/**
 * A worker's last output lies in the pipe when it exits: after so many turns without a byte it has been read, even if the pipe stays open.
 */
const QUIET_TURNS = 3;

/** One worker process: its pipes, what it says, how it ends. */
export class WorkerChild implements HostProcess {
  readonly pid: number;
  readonly stream: Duplex;
  readonly sockets: SocketChannelMaster | undefined;
  readonly #child: ChildProcess;
  readonly #mark: StartedMarkFile;
  readonly #reaper: Reaper;
  readonly #killedForMemory: () => boolean;
  readonly #stderr: OutputReader | undefined;
  readonly #stdout: OutputReader | undefined;
  /** Set by `exit`, completed by the end of both outputs. */
  #ended: { code: number | null; signal: NodeJS.Signals | null; error?: Error } | undefined;
  #open = 0;
  #killed = false;
  #exit: HostExit | undefined;
  #waiting: ((exit: HostExit) => void)[] = [];
  #lastWords: NodeJS.Timeout | undefined;
  #keepAlive = true;

  constructor(child: ChildProcess, spec: HostSpec, mark: StartedMarkFile, reaper: Reaper, killedForMemory: () => boolean) {
    this.#child = child;
    this.#mark = mark;
    this.#reaper = reaper;
    this.#killedForMemory = killedForMemory;
    this.pid = child.pid ?? 0;
    child.on(
      'error',
      guard(NO_VICTIM, (error: Error) => {
        // Also raised by a signal that could not be sent, which is no exit.
        if (this.pid === 0) this.#finish(null, null, error);
      }),
    );
    child.once(
      'exit',
      guard(
        // Its end must be told, or nothing of the process is ever given back.
        failing(() => this.#finish(child.exitCode, child.signalCode)),
        (code: number | null, signal: NodeJS.Signals | null) => this.#finish(code, signal),
      ),
    );
    // Where the system has no descriptors left there are no streams at all, whatever the types say.
    const link = child.stdio?.[LINK_FD] as Socket | null | undefined;
    this.stream = link ?? deadStream();
    this.stream.on('error', () => {});
    if (spec.takesSockets) this.sockets = this.#openChannel();
    this.#stdout = this.#read(child.stdout, spec, 'stdout');
    this.#stderr = this.#read(child.stderr, spec, 'stderr');
    if (this.pid > 0) reaper.watch(this.pid);
  }

  mark(): number {
    return this.#mark.read();
  }

  kill(signal: NodeJS.Signals): void {
    if (this.#ended) return;
    if (signal === 'SIGKILL') this.#killed = true;
    try {
      this.#child.kill(signal);
    } catch {
      // An unknown signal, or one we may not send: every wait for an exit has a deadline.
    }
  }

  onExit(exited: (exit: HostExit) => void): void {
    if (this.#exit) exited(this.#exit);
    else this.#waiting.push(exited);
  }

  rss(): number | undefined {
    return this.#ended ? undefined : viewProcess(this.pid).rss;
  }

  isStopped(): boolean {
    return !this.#ended && viewProcess(this.pid).isStopped;
  }

  keepAlive(yes: boolean): void {
    if (yes === this.#keepAlive) return;
    this.#keepAlive = yes;
    const how = yes ? 'ref' : 'unref';
    this.#child[how]();
    (this.stream as Partial<Socket>)[how]?.();
    this.#lastWords?.[how]();
  }

  /** Where there can be none the worker cannot do its work: it ends before it began. */
  #openChannel(): SocketChannelMaster | undefined {
    if (this.pid === 0) return undefined;
    try {
      return new SocketChannelMaster(this.#child);
    } catch (error) {
      this.#child.kill('SIGKILL');
      this.#finish(null, null, asError(error));
      return undefined;
    }
  }

  #read(source: Readable | null | undefined, spec: HostSpec, stream: 'stdout' | 'stderr'): OutputReader | undefined {
    if (!source) return undefined;
    this.#open++;
    (source as Partial<Socket>).unref?.(); // Output alone does not keep the master running.
    const { name: worker } = spec;
    const emit = (line: string): void => {
      try {
        spec.onOutput(line, stream);
      } catch (error) {
        publish('app.warning', { worker, message: `what takes the output of worker ${worker} threw`, error });
      }
    };
    return new OutputReader(source, emit, () => {
      this.#open--;
      this.#complete();
    });
  }

  #finish(code: number | null, signal: NodeJS.Signals | null, error?: Error): void {
    if (this.#ended) return;
    this.#ended = error ? { code, signal, error } : { code, signal };
    if (this.pid > 0) this.#reaper.forget(this.pid);
    this.#mark.close();
    this.sockets?.close();
    this.#lastWords = setTimeout(() => this.#complete(true), LAST_WORDS);
    if (!this.#keepAlive) this.#lastWords.unref();
    this.#stdout?.hurry();
    this.#stderr?.hurry();
    this.#complete();
    if (!this.#exit) this.#awaitSilence(0, 0);
  }

  /** Ends the wait for the end of the outputs where nothing is left in them. */
  #awaitSilence(quietTurns: number, before: number): void {
    setImmediate(() => {
      if (this.#exit) return;
      const bytes = (this.#stdout?.bytes ?? 0) + (this.#stderr?.bytes ?? 0);
      const quiet = bytes === before && !this.#stdout?.waits && !this.#stderr?.waits ? quietTurns + 1 : 0;
      if (quiet > QUIET_TURNS) this.#complete(true);
      else this.#awaitSilence(quiet, bytes);
    });
  }

  #complete(late = false): void {
    if (!this.#ended || this.#exit || (this.#open > 0 && !late && !this.#ended.error)) return;
    clearTimeout(this.#lastWords);
    this.#stdout?.calm();
    this.#stderr?.calm();
    const { code, signal, error } = this.#ended;
    const stderr = this.#stderr?.tail() ?? '';
    const unasked = signal === 'SIGKILL' && !this.#killed && this.#killedForMemory();
    const aborted = isAbort(code, signal);
    this.#exit = {
      exitCode: code,
      signal,
      stderr: lastLines(aborted ? withoutNativeStack(stderr) : stderr),
      memory: unasked || (aborted && /out of memory/i.test(stderr)),
      permanent: isStartMistake(code, stderr, error),
      ...(error ? { error } : {}),
    };
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const exited of waiting) exited(this.#exit);
  }
}

/** How V8 ends a process whose heap is full: abort(), in some versions a trap; a shell in between makes a code of it. */
function isAbort(code: number | null, signal: NodeJS.Signals | null): boolean {
  return signal === 'SIGABRT' || signal === 'SIGTRAP' || signal === 'SIGILL' || code === 134 || code === 133 || code === 132;
}

/** Addresses inside the program: they would push the words out of the report that say what happened. The JavaScript stack stays. */
function withoutNativeStack(text: string): string {
  return text.replace(/^-+ Native stack trace -+$.*?(?=^-+ JavaScript stack|(?!.))/ms, '');
}
