import { inspect } from 'node:util';
import type { Worker } from 'node:worker_threads';
import { failing, guard, NO_VICTIM } from '../../guard.js';
import { publish } from '../../diagnostics.js';
import { EXIT_REPORT, type HostExit, type HostProcess, type HostSpec } from '../host.js';
import { OutputReader } from '../output.js';
import { isStartMistake } from '../launch/start-mistakes.js';
import { lastLines } from '../last-lines.js';
import { clearTimeout, setTimeout } from '../../system-timers.js';
import { MARK_SLOT } from './contract.js';
import type { ThreadOutput } from './output.js';
import type { PortStream } from './port-stream.js';

/** Milliseconds after the exit in which the last lines are read at most: a logger may be slow. */
const LAST_WORDS = EXIT_REPORT / 2;

/** Milliseconds that a thread which is told to end may go on loading its modules. */
const LOADING = 5_000;

/** One thread of the master's process that is a worker: what it says, how it ends. */
export class WorkerThread implements HostProcess {
  readonly pid = process.pid;
  readonly stream: PortStream;
  readonly #thread: Worker;
  readonly #slots: Int32Array;
  readonly #stdout: OutputReader;
  readonly #stderr: OutputReader;
  #open = 2;
  #killed: NodeJS.Signals | undefined;
  #thrown: unknown;
  /** Its exit code, once it has ended. */
  #code: number | undefined;
  #exit: HostExit | undefined;
  #waiting: ((exit: HostExit) => void)[] = [];
  #lastWords: NodeJS.Timeout | undefined;
  /** Ends a thread that was killed while it loads. */
  #overdue: NodeJS.Timeout | undefined;
  #keepAlive = true;

  constructor(thread: Worker, spec: HostSpec, stream: PortStream, output: ThreadOutput, slots: Int32Array) {
    this.#thread = thread;
    this.stream = stream;
    this.#slots = slots;
    stream.on('error', () => {});
    this.#stdout = this.#read(output, spec, 'stdout');
    this.#stderr = this.#read(output, spec, 'stderr');
    thread.on(
      'error',
      guard(NO_VICTIM, (error: unknown) => (this.#thrown = error)),
    );
    thread.once(
      'exit',
      guard(
        // Its end must be told, or nothing of the thread is ever given back.
        failing(() => this.#finish(1, stream, output)),
        (code: number) => this.#finish(code, stream, output),
      ),
    );
  }

  mark(): number {
    return Atomics.load(this.#slots, MARK_SLOT) >>> 0;
  }

  /**
   * Whatever the signal: no code of the thread runs any further. Native code that is under way ends first, and so does the loading of its
   * modules: each file that a terminated thread is just opening stays open in this process.
   */
  kill(signal: NodeJS.Signals): void {
    if (this.#code !== undefined || this.#killed !== undefined) return;
    this.#killed = signal;
    const terminate = (): void => void this.#thread.terminate();
    if (this.stream.heard) return terminate();
    // Without its link it ends by itself, as soon as it has loaded.
    this.stream.destroy();
    this.#overdue = setTimeout(terminate, LOADING);
    if (!this.#keepAlive) this.#overdue.unref();
  }

  onExit(exited: (exit: HostExit) => void): void {
    if (this.#exit) exited(this.#exit);
    else this.#waiting.push(exited);
  }

  /** The system counts memory by process: none of it is known to be this thread's. */
  rss(): undefined {}

  isStopped(): boolean {
    return false;
  }

  keepAlive(yes: boolean): void {
    if (yes === this.#keepAlive) return;
    this.#keepAlive = yes;
    const how = yes ? 'ref' : 'unref';
    this.#thread[how]();
    this.stream[how]();
    this.#lastWords?.[how]();
    this.#overdue?.[how]();
  }

  #read(output: ThreadOutput, { name: worker, onOutput: tell }: HostSpec, stream: 'stdout' | 'stderr'): OutputReader {
    const emit = (line: string): void => {
      try {
        tell(line, stream);
      } catch (error) {
        publish('app.warning', { worker, message: `what takes the output of worker ${worker} threw`, error });
      }
    };
    return new OutputReader(output[stream], emit, () => {
      this.#open--;
      this.#complete();
    });
  }

  #finish(code: number, stream: PortStream, output: ThreadOutput): void {
    if (this.#code !== undefined) return;
    this.#code = code;
    clearTimeout(this.#overdue);
    // The last messages lie in the ports, and are read before they close.
    stream.readNow();
    output.end();
    this.#lastWords = setTimeout(() => this.#complete(true), LAST_WORDS);
    if (!this.#keepAlive) this.#lastWords.unref();
    this.#stdout.hurry();
    this.#stderr.hurry();
    this.#complete();
  }

  #complete(late = false): void {
    if (this.#code === undefined || this.#exit || (this.#open > 0 && !late)) return;
    clearTimeout(this.#lastWords);
    const printed = this.#stderr.tail();
    const thrown = this.#thrown === undefined ? '' : `${inspect(this.#thrown)}\n`;
    const stderr = printed + thrown;
    const memory = (this.#thrown as { code?: unknown } | undefined)?.code === 'ERR_WORKER_OUT_OF_MEMORY';
    const killed = this.#killed !== undefined && !memory;
    this.#exit = {
      exitCode: killed ? null : this.#code,
      signal: killed ? this.#killed! : null,
      stderr: lastLines(stderr),
      memory,
      permanent: !killed && isStartMistake(this.#code, stderr, undefined),
    };
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const exited of waiting) exited(this.#exit);
  }
}
