import type { StatusRow } from '../../workers/pool/crew-types.js';
import type { PooledProcess } from '../../workers/process/pooled-process.js';
import { remoteRowsOf } from '../remote-status.js';

/** The rows of `status()` for one linked host: its processes as it told of them; until it has, one row for the host itself. */
export function rowsOf(process: PooledProcess): StatusRow[] {
  const { publicView: face, handle } = process;
  const { name, key } = handle;
  const { host } = face;
  const rows = remoteRowsOf(process.lastStatus);
  if (rows.length === 0) return [hostRow(process)];
  return rows.map(row => ({
    ...row,
    name,
    key,
    host,
    id: row.id,
    pid: row.pid,
    rss: row.rss,
    startedAt: new Date(row.startedAt),
    status: row.status,
  }));
}

function hostRow({ id, publicView: face, handle, state, inFlight, startedAt }: PooledProcess): StatusRow {
  const { name, key } = handle;
  const { running, done, failed } = inFlight;
  return {
    name,
    key,
    id,
    host: face.host,
    pid: undefined,
    state: state === 'ready' || state === 'starting' ? state : 'stopping',
    running,
    queued: inFlight.size - running,
    done,
    failed,
    restarts: 0,
    rss: undefined,
    startedAt,
    status: undefined,
  };
}
