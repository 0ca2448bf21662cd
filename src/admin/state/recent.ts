import diagnostics from 'node:diagnostics_channel';
import type { EventName } from '../../diagnostics.js';
import { printable } from '../../errors/printable.js';
import { toldError } from '../../logging/told-error.js';
import { Ring } from './ring.js';

/** Why a connection was closed. */
export interface ClosedFacts {
  readonly at: number;
  readonly id: string;
  readonly handler: string;
  readonly by: string;
  readonly code: string;
  readonly error: string;
}

/** How a process ended. */
export interface RecentExit {
  readonly at: number;
  readonly pool: string;
  readonly pid: number;
  readonly reason: string;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly expected: boolean;
  readonly error: string;
  /** The last lines that it wrote to stderr. */
  readonly stderr: readonly string[];
}

/** Something that failed. */
export interface ErrorFacts {
  readonly at: number;
  readonly event: string;
  readonly where: string;
  readonly error: string;
}

const MOST = { closed: 200, exits: 100, errors: 200 } as const;
/** Lines of stderr that are kept of a process, processes of which some are kept, characters of a line. */
const STDERR = { lines: 8, processes: 1_000, length: 400 } as const;
const ERRORS = [
  'connection.error',
  'listener.error',
  'worker.error',
  'worker.gave-up',
  'timer.error',
  'hook.error',
] as const satisfies EventName[];
/** Handlers of the page itself: nothing that an operator looks for. */
const OWN = /^Admin(?:Files|Feed)$/;

type Details = Readonly<Record<string, unknown>>;

function text(value: unknown): string {
  return typeof value === 'string' ? value : value === undefined ? '' : String(value);
}

function told(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const { name, message } = toldError(error);
  return printable(`${name}: ${message}`, STDERR.length);
}

function poolOf({ worker, key }: Details): string {
  return key === undefined ? text(worker) : `${text(worker)}[${text(key)}]`;
}

/** Remembers the latest events: ends of connections and processes, and errors. */
export class Recent {
  readonly closed = new Ring<ClosedFacts>(MOST.closed);
  readonly exits = new Ring<RecentExit>(MOST.exits);
  readonly errors = new Ring<ErrorFacts>(MOST.errors);
  readonly #stderr = new Map<unknown, string[]>();
  readonly #ends: (() => void)[] = [];
  readonly #now: () => number;
  /** Events of other applications of this process are nothing to remember. */
  app: string | undefined;

  /** @param now milliseconds since the epoch */
  constructor(now: () => number) {
    this.#now = now;
    this.#on('connection.close', details => this.#onClosed(details));
    this.#on('worker.output', details => this.#onOutput(details));
    this.#on('worker.exit', details => this.#onExit(details));
    for (const name of ERRORS) this.#on(name, details => this.#onError(name, details));
  }

  close(): void {
    for (const end of this.#ends.splice(0)) end();
  }

  #on(name: EventName, hear: (details: Details) => void): void {
    const listener = (details: unknown): void => {
      try {
        const { app } = details as Details;
        if (app === undefined || this.app === undefined || app === this.app) hear(details as Details);
      } catch {
        // An error that cannot even be looked at is nothing to remember.
      }
    };
    diagnostics.subscribe(`packet-ts:${name}`, listener);
    this.#ends.push(() => diagnostics.unsubscribe(`packet-ts:${name}`, listener));
  }

  #onClosed({ connection, handler, by, code, error }: Details): void {
    if (OWN.test(text(handler))) return;
    this.closed.add({ at: this.#now(), id: text(connection), handler: text(handler), by: text(by), code: text(code), error: told(error) });
  }

  #onOutput({ process, stream, line }: Details): void {
    if (stream !== 'stderr') return;
    let lines = this.#stderr.get(process);
    if (!lines) {
      if (this.#stderr.size >= STDERR.processes) this.#stderr.delete(this.#stderr.keys().next().value);
      this.#stderr.set(process, (lines = []));
    }
    lines.push(printable(text(line), STDERR.length));
    if (lines.length > STDERR.lines) lines.shift();
  }

  #onExit(details: Details): void {
    const { process, workerPid, reason, exitCode, signal, expected, error } = details;
    this.exits.add({
      at: this.#now(),
      pool: poolOf(details),
      pid: Number(workerPid),
      reason: text(reason),
      exitCode: typeof exitCode === 'number' ? exitCode : null,
      signal: typeof signal === 'string' ? signal : null,
      expected: expected === true,
      error: told(error),
      stderr: this.#stderr.get(process) ?? [],
    });
    this.#stderr.delete(process);
  }

  #onError(event: string, details: Details): void {
    const { handler, worker, hook, during, url } = details;
    if (OWN.test(text(handler))) return;
    const where = [handler ?? (worker === undefined ? undefined : poolOf(details)), hook ?? during ?? url]
      .map(text)
      .filter(Boolean)
      .join(' ');
    this.errors.add({ at: this.#now(), event, where, error: told(details['error']) });
  }
}
