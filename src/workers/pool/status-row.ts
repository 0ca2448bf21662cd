import type { WorkerStatus } from '../../decorators/worker/worker-types.js';
import type { PooledProcess } from '../process/pooled-process.js';

/** One process, as `workers.status()` shows it. */
export function rowOf(process: PooledProcess): Omit<WorkerStatus, 'name' | 'key' | 'pool' | 'restarts'> {
  const { id, pid, publicView: face, state, inFlight, heartbeat, startedAt, lastStatus } = process;
  return {
    id,
    host: face.host,
    pid,
    state: state === 'ready' || state === 'starting' ? state : 'stopping',
    running: inFlight.running,
    queued: inFlight.size - inFlight.running,
    done: inFlight.done,
    failed: inFlight.failed,
    rss: heartbeat.rss,
    startedAt,
    status: lastStatus,
  };
}

/** A row of a process, before it is told what the whole pool has. */
type ProcessRow = Omit<WorkerStatus, 'pool'>;

/**
 * The rows of a pool, each with the totals of all. The first carries what waits for any process, and what ended ones have done:
 * so the sums only grow. Without a process there is one row of the pool itself.
 */
export function poolRows(
  rows: readonly ProcessRow[],
  pool: Pick<ProcessRow, 'name' | 'key' | 'state' | 'restarts' | 'startedAt'>,
  waiting: number,
  ended: { readonly done: number; readonly failed: number },
): WorkerStatus[] {
  const none = {
    id: undefined,
    host: undefined,
    pid: undefined,
    running: 0,
    queued: 0,
    done: 0,
    failed: 0,
    rss: undefined,
    status: undefined,
  };
  const [first, ...rest] = rows.length > 0 ? rows : [{ ...none, ...pool }];
  const whole = { ...first!, queued: first!.queued + waiting, done: first!.done + ended.done, failed: first!.failed + ended.failed };
  const totals = { queued: 0, done: 0, failed: 0 };
  for (const row of [whole, ...rest]) {
    totals.queued += row.queued;
    totals.done += row.done;
    totals.failed += row.failed;
  }
  return [whole, ...rest].map(row => ({ ...row, pool: totals }));
}
