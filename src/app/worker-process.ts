import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { ConfigurationError, UsageError } from '../errors.js';
import { WORKER_VARIABLE } from '../hosts/child-contract.js';
import { refuseToStart } from '../tasks/index.js';

/** Facts of a worker's process about itself; empty in the master. Shared by copies of the package. */
interface WorkerProcessState {
  /** Resolves when `bootstrap()` or `spawn()` was reached while the worker's module was imported. */
  readonly reached: Promise<void>;
  reach(): void;
}

const STATE = Symbol.for('packet-ts.worker-process');
const MARK = Symbol.for('packet-ts.worker-mark');

const globals = globalThis as unknown as Record<symbol, WorkerProcessState | true | undefined>;

/** Makes this process a worker's: from here on `bootstrap()` and `spawn()` never settle. */
export function becomeWorkerProcess(): WorkerProcessState {
  let reach!: () => void;
  const reached = new Promise<void>(resolve => (reach = resolve));
  const state: WorkerProcessState = { reached, reach };
  globals[STATE] = state;
  return state;
}

/**
 * Called by everything that starts an application. In a worker's process its module is imported only for the classes in it:
 * the promise that comes back never settles there. Undefined in a master.
 * @throws UsageError in a process that has inherited the mark of a worker, and is none.
 */
export function neverInWorker(): Promise<never> | undefined {
  const state = globals[STATE];
  if (state === undefined || state === true) return refuseIfMarked();
  state.reach();
  return new Promise<never>(() => {});
}

/** A process that was started as a worker never becomes a master: it would start workers that do the same, without end. */
function refuseIfMarked(): Promise<never> | undefined {
  const master = isMainThread ? process.env[WORKER_VARIABLE] : undefined;
  if (master === undefined) return undefined;
  if (master !== String(process.ppid))
    throw new UsageError(`${WORKER_VARIABLE} in the environment is of a worker of process ${master}: start this process without it`);
  return refuseToStart(
    new ConfigurationError([
      {
        where: 'worker processes',
        wrong: `${process.execPath} takes neither Node's flags nor a file to run (a single executable, Electron, pkg?): it starts the application again`,
        remedy: "start the application with node itself, or write runtime: 'inline'",
      },
    ]),
  );
}

/** True when this process was started to run a bundle as a worker, and has not become one yet. Its threads and children only inherit flags. */
export function isMarkedAsWorker(): boolean {
  const isMeant = isMainThread && process.env[WORKER_VARIABLE] === String(process.ppid);
  return isMeant && globals[MARK] === true && globals[STATE] === undefined;
}

/** How a worker's process is started. */
export interface WorkerEntry {
  /** The file that it runs. */
  readonly file: URL;
  /** Flags of node that go before it. */
  readonly flags: readonly string[];
}

/**
 * The file that a worker's process runs first. In a bundle there is no such file beside this one:
 * then the bundle itself is run again, marked before its first line, and its `bootstrap()` never settles.
 */
export function workerEntry(here: string | undefined = import.meta.url): WorkerEntry {
  const self = here ?? pathToFileURL(process.argv[1] ?? '').href;
  const file = new URL('../worker-main/main.js', self);
  if (existsSync(file)) return { file, flags: [] };
  const source = new URL('../worker-main/main.ts', self);
  if (existsSync(source)) return { file: source, flags: [] };
  const mark = `globalThis[Symbol.for(${JSON.stringify(MARK.description)})]=true`;
  return { file: new URL(self), flags: ['--import', `data:text/javascript,${encodeURIComponent(mark)}`] };
}
