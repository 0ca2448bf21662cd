import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Readable, Writable } from 'node:stream';
import { atEnd } from '../cleanup.js';
import { Inbox } from '../inbox.js';
import { soon, type WaitOptions } from '../wait-for.js';

export interface ScriptOptions {
  readonly cwd?: string | URL;
  /** Added to this process's environment; undefined removes. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Flags of node itself. */
  readonly execArgv?: readonly string[];
  /** Another program than this node. */
  readonly program?: string;
  /** A process group of its own: `script.kill('SIGINT', { group: true })` is Ctrl-C. */
  readonly detached?: boolean;
}

/** How a script ended. */
export interface ScriptExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process that a test started. It is killed at the end of the test (or of the suite, when a `before` hook started it). */
export class Script {
  readonly pid: number;
  readonly stdin: Writable;
  readonly stdout = new Inbox();
  readonly stderr = new Inbox();
  /** Settles when it has exited and its output is read to the end. */
  readonly exited: Promise<ScriptExit>;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #detached: boolean;
  #running = true;

  constructor(child: ChildProcessByStdio<Writable, Readable, Readable>, detached: boolean) {
    this.#child = child;
    this.#detached = detached;
    this.pid = child.pid ?? -1;
    this.stdin = child.stdin;
    // A script that is gone does not read: not an error of the test.
    child.stdin.on('error', () => {});
    for (const [stream, inbox] of [
      [child.stdout, this.stdout],
      [child.stderr, this.stderr],
    ] as const) {
      stream.on('data', (chunk: Buffer) => inbox.push(chunk));
      stream.on('close', () => inbox.end());
    }
    this.exited = new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', () => (this.#running = false));
      child.on('close', (code, signal) => resolve({ code, signal }));
    });
    this.exited.catch(() => {});
  }

  get running(): boolean {
    return this.#running;
  }

  /** The next line of stdout that fits; any without a pattern. */
  line(pattern: RegExp | string = '', options: WaitOptions = {}): Promise<string> {
    return this.stdout.lineLike(pattern, { within: '10s', ...options });
  }

  errorLine(pattern: RegExp | string = '', options: WaitOptions = {}): Promise<string> {
    return this.stderr.lineLike(pattern, { within: '10s', ...options });
  }

  kill(signal: NodeJS.Signals = 'SIGKILL', { group = false } = {}): void {
    if (!this.#running) return;
    if (group && this.#detached) process.kill(-this.pid, signal);
    else this.#child.kill(signal);
  }

  /** Its exit, bounded; with its output in the error when it does not come. */
  exit(options: WaitOptions = {}): Promise<ScriptExit> {
    const what = (): string => `pid ${this.pid} to exit; stdout: ${this.stdout.text.slice(-2000)} stderr: ${this.stderr.text.slice(-2000)}`;
    return soon(this.exited, { within: '10s', what, ...options });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill();
    this.#child.stdout.destroy();
    this.#child.stderr.destroy();
    await this.exited.catch(() => {});
  }
}

/**
 * Runs a JavaScript file (or another `program`) and collects what it says.
 * @example const server = spawnScript(new URL('../../../examples/echo/main.js', import.meta.url)); await server.line('listening');
 */
export function spawnScript(file: string | URL, args: readonly string[] = [], options: ScriptOptions = {}): Script {
  const path = typeof file === 'string' ? file : fileURLToPath(file);
  const argv = options.program === undefined ? [...(options.execArgv ?? process.execArgv), path, ...args] : [path, ...args];
  return start(options.program ?? process.execPath, argv, options);
}

/** Runs any program. @example const socat = spawnProgram('socat', ['-', `TCP:127.0.0.1:${port}`]) */
export function spawnProgram(program: string, args: readonly string[] = [], options: ScriptOptions = {}): Script {
  return start(program, args, options);
}

function start(program: string, argv: readonly string[], { cwd, env, detached = false }: ScriptOptions): Script {
  const child = spawn(program, argv, { cwd, env: { ...process.env, ...env }, detached, stdio: ['pipe', 'pipe', 'pipe'] });
  const script = new Script(child, detached);
  const forget = atEnd(() => script[Symbol.asyncDispose]());
  void script.exited.then(forget, forget);
  return script;
}
