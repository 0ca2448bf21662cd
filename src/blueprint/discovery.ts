import { readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Discovery } from '../decorators/injection/provider-types.js';
import { typescriptRemedy } from '../decorators/worker/typescript-source.js';
import { workersDeclaredIn } from '../decorators/worker/worker-registry.js';
import { kindOf } from './lineage.js';
import type { Report } from './mistakes.js';
import type { Ctor } from './types.js';

const WORKER_MODULE = /^(.+\.worker)\.(js|mjs|ts)$/;

export function isDiscovery(value: unknown): value is Discovery {
  return typeof value === 'object' && value !== null && 'folder' in value;
}

/** The worker modules of a folder, sorted. Where a module lies there as source and as output, the output counts. */
async function modulesOf(folder: string): Promise<readonly string[]> {
  const chosen = new Map<string, string>();
  for (const name of (await readdir(folder)).toSorted()) {
    const stem = WORKER_MODULE.exec(name)?.[1];
    if (stem !== undefined && !chosen.has(stem)) chosen.set(stem, name);
  }
  return [...chosen.values()];
}

/** The workers that one module declares, exported or not. */
async function workersOf(path: string): Promise<readonly Ctor[]> {
  const url = pathToFileURL(path).href;
  const exported = Object.values((await import(url)) as Record<string, unknown>).filter(value => kindOf(value) === 'worker');
  // The loader names modules by their real path.
  const real = pathToFileURL(await realpath(path)).href;
  return [...new Set([...(exported as Ctor[]), ...workersDeclaredIn(real)])];
}

/** Imports the worker modules of a folder, nothing else, and returns the classes that they declare. */
export async function discoverWorkers({ folder }: Discovery, report: Report): Promise<readonly Ctor[]> {
  const where = `discover('${String(folder)}')`;
  let path: string;
  let names: readonly string[];
  try {
    path = fileURLToPath(folder);
    names = await modulesOf(path);
  } catch (error) {
    report(
      'workers',
      `${where} cannot be read: ${(error as Error).message}`,
      "name a folder by its url: new URL('./workers/', import.meta.url)",
    );
    return [];
  }
  if (names.length === 0) report('workers', `${where} has no worker module`, 'name its modules *.worker.js, *.worker.mjs or *.worker.ts');
  const workers: Ctor[] = [];
  for (const name of names) {
    try {
      const found = await workersOf(join(path, name));
      if (found.length === 0)
        report(
          'workers',
          `${name} of ${where} declares no worker`,
          "decorate its class with @Worker('name'), or give the file another name",
        );
      workers.push(...found);
    } catch (error) {
      report(
        'workers',
        `${name} of ${where} cannot be imported: ${String(error)}`,
        typescriptRemedy(name, error) ?? 'a worker module must be importable in the master, too',
      );
    }
  }
  return workers;
}
