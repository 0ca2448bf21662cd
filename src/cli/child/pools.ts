import { fileURLToPath } from 'node:url';
import type { RunningApp } from '../../app/start/bootstrap-hook.js';
import { asError } from '../../errors.js';
import type { WorkerSource } from './plan.js';

/** The started workers of all applications, and the files that declare them. */
export function workerSources(apps: readonly RunningApp[]): readonly WorkerSource[] {
  return apps.flatMap(({ inspection }) =>
    inspection.pools().flatMap(({ id, source }) => (source?.startsWith('file:') ? [{ pool: id, file: fileURLToPath(source) }] : [])),
  );
}

/** Replaces the processes of these pools, one after the other. Resolves with what went wrong, in words. */
export async function restartPools(apps: readonly RunningApp[], pools: readonly string[]): Promise<string | undefined> {
  try {
    for (const { inspection } of apps) {
      const own = new Set(inspection.pools().map(({ id }) => id));
      await Promise.all(pools.filter(pool => own.has(pool)).map(pool => inspection.restartPool(pool)));
    }
    return undefined;
  } catch (error) {
    return asError(error).message;
  }
}
