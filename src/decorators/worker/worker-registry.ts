import type { Ctor } from '../ctor.js';
import type { ModuleSource } from '../metadata.js';

/** A class decorated with `@Worker`, found by its name: it needs no export. */
export interface RegisteredWorker {
  readonly cls: Ctor;
  readonly source: ModuleSource | undefined;
}

/** By worker name. Several classes of one name are a mistake that the blueprint reports. Shared by copies of the package. */
const WORKERS: Map<string, RegisteredWorker[]> = ((globalThis as Record<symbol, unknown>)[Symbol.for('packet-ts.workers')] ??=
  new Map()) as Map<string, RegisteredWorker[]>;

/** Called by `@Worker`. */
export function registerWorker(name: string, worker: RegisteredWorker): void {
  const known = WORKERS.get(name);
  if (known) known.push(worker);
  else WORKERS.set(name, [worker]);
}

/** The classes that were decorated with that name in this process. */
export function registeredWorkers(name: string): readonly RegisteredWorker[] {
  return WORKERS.get(name) ?? [];
}

/** The classes that were decorated in the module of that url. */
export function workersDeclaredIn(url: string): readonly Ctor[] {
  return [...WORKERS.values()].flat().flatMap(worker => (worker.source?.url === url ? [worker.cls] : []));
}
