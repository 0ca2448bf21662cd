import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/** What a worker's process knows of itself; nothing in the master. Shared by copies of the package. */
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
 */
export function neverInWorker(): Promise<never> | undefined {
  const state = globals[STATE];
  if (state === undefined || state === true) return undefined;
  state.reach();
  return new Promise<never>(() => {});
}

/** True when this process was started to run a bundle as a worker, and has not become one yet. */
export function isMarkedAsWorker(): boolean {
  return globals[MARK] === true && globals[STATE] === undefined;
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
