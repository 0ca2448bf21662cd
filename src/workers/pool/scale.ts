import { UsageError } from '../../errors.js';
import type { Pool } from './pool.js';

/** The most processes that a pool may be scaled to. */
const MOST = 10_000;

/**
 * Changes how many processes a running pool has at least and at most: missing ones start, those too many finish what they have and go.
 * @throws UsageError for what are no such numbers.
 */
export function scale(pool: Pool, minWorkers: number, maxWorkers: number): void {
  const fits = Number.isInteger(minWorkers) && Number.isInteger(maxWorkers) && minWorkers >= 0 && maxWorkers >= Math.max(1, minWorkers);
  if (!fits || maxWorkers > MOST)
    throw new UsageError(`a pool has 0 to maxWorkers processes at least and 1 to ${MOST} at most, not ${minWorkers} and ${maxWorkers}`);
  // The pool's own copy.
  Object.assign(pool.worker.settings, { minWorkers, maxWorkers });
  const { processSet } = pool;
  const tooMany = processSet.ready.length - maxWorkers;
  // The youngest go.
  for (const process of tooMany > 0 ? processSet.ready.slice(-tooMany) : []) process.drain();
  processSet.grow();
}
