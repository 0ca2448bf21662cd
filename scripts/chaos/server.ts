import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { strictJson } from '../../spec/logging/support/strict-json.js';
import { targetOf, type Target } from './wire.js';

/** What the application holds at one moment. */
export interface Sample {
  readonly connections: number;
  /** Worker processes that are starting, stopping or at work. */
  readonly restless: number;
  readonly descriptors: number;
  readonly heap: number;
  readonly rss: number;
  readonly resources: Readonly<Record<string, number>>;
  readonly subscriptions: number;
  readonly calls: { readonly made: number; readonly settled: number; readonly twice: number };
}

/** Log lines that say which limit or time closed a connection. */
interface ClosedLine {
  readonly msg?: string;
  readonly by?: string;
  readonly code?: string;
}

/** Log lines that no chaos excuses. */
const UNEXCUSED = /nothing caught|nobody awaited|ERR_INTERNAL|MaxListenersExceeded/;

function tally(closed: Record<string, number>, { msg, by, code }: ClosedLine): void {
  if (msg !== 'connection closed') return;
  const why = `${by} ${code}`;
  closed[why] = (closed[why] ?? 0) + 1;
}

/** The reason why a line of the log is no strict JSON; undefined: it is. */
function flawOf(line: string): string | undefined {
  try {
    strictJson(line);
    return undefined;
  } catch (error) {
    return `no strict JSON: ${String(error)}`;
  }
}

/** The application as a process of its own, and its control line. */
export class Server {
  readonly target: Target;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  readonly #child: ChildProcess;
  readonly #answers: (line: string) => void;

  private constructor(
    child: ChildProcess,
    target: Target,
    closed: Readonly<Record<string, number>>,
    log: { readonly lines: number },
    answers: (take: (line: string) => void) => void,
  ) {
    this.#child = child;
    // An application that ends does not read what it is told: its exit says so.
    child.stdin!.on('error', () => {});
    this.target = target;
    this.closed = closed;
    this.log = log;
    this.exited = new Promise(resolve => child.once('close', (code, signal) => resolve({ code, signal })));
    this.#answers = line => this.#waiting.shift()?.(line);
    answers(this.#answers);
  }

  readonly #waiting: ((line: string) => void)[] = [];
  /** How many connections each limit and time has closed. */
  readonly closed: Readonly<Record<string, number>>;
  /** Lines that it has logged, each of them strict JSON or complained of. */
  readonly log: { readonly lines: number };

  /** Resolves when it listens. `complain` hears log lines that must not be. */
  static async start(path: string, complain: (line: string) => void): Promise<Server> {
    const file = fileURLToPath(new URL('app.js', import.meta.url));
    const child = spawn(process.execPath, ['--expose-gc', '--enable-source-maps', file, path], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, PACKET_LOG: 'info' },
    });
    const closed: Record<string, number> = {};
    const log = { lines: 0 };
    createInterface(child.stderr).on('line', line => {
      log.lines++;
      const broken = line.startsWith('{') ? flawOf(line) : undefined;
      if (broken !== undefined) complain(broken);
      else if (line.startsWith('{"told"')) console.log(line);
      else if (line.startsWith('{"level":30')) tally(closed, JSON.parse(line) as ClosedLine);
      else if (UNEXCUSED.test(line) || !line.startsWith('{')) complain(line);
    });
    let take: (line: string) => void = () => {};
    const first = new Promise<string>((resolve, reject) => {
      take = resolve;
      child.once('exit', code => reject(new Error(`the application did not start: exit code ${code}`)));
    });
    createInterface(child.stdout).on('line', line => take(line));
    const { urls } = JSON.parse(await first) as { urls: string[] };
    return new Server(child, targetOf(urls), closed, log, next => (take = next));
  }

  get pid(): number {
    return this.#child.pid!;
  }

  terminate(): void {
    this.#child.kill('SIGTERM');
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** Sends a line; resolves with the answer. */
  async ask<T>(line: string): Promise<T> {
    const answer = new Promise<string>(resolve => this.#waiting.push(resolve));
    this.#child.stdin!.write(`${line}\n`);
    return JSON.parse(await Promise.race([answer, this.exited.then(() => '{}')])) as T;
  }
}
