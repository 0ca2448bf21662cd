import type { Pool } from '../../workers/pool/pool.js';
import type { StatusRow } from '../../workers/pool/crew-types.js';
import type { PooledProcess } from '../../workers/process/pooled-process.js';
import type { Session } from '../../session/session.js';
import { brief } from './brief.js';
import type { CallFacts, ConnectionFacts, PoolFacts, ProcessFacts } from './inspection-types.js';

/** `name`, or `name[key]`. */
export function poolId({ worker: { name }, key }: Pool): string {
  return key === undefined ? name : `${name}[${key}]`;
}

export function connectionFacts(session: Session): ConnectionFacts {
  const { id, settings, transport, openedAt, bytesRead, peer, origin } = session;
  return {
    id,
    handler: settings.plan.name,
    remote: transport.remote.url,
    local: transport.local.url,
    openedAt,
    bytesRead,
    bytesWritten: peer.bytesWritten,
    buffered: peer.bufferedBytes,
    dialled: origin === undefined,
  };
}

function told(status: unknown): string | undefined {
  return status === undefined ? undefined : brief(status);
}

function ownProcessFacts(pool: string, process: PooledProcess): ProcessFacts {
  const { id, pid, state, inFlight, heartbeat, connections, startedAt, lastStatus } = process;
  return {
    id,
    pool,
    host: 'local',
    pid,
    state,
    running: inFlight.running,
    queued: inFlight.size - inFlight.running,
    done: inFlight.done,
    failed: inFlight.failed,
    rss: heartbeat.rss,
    connections,
    startedAt: startedAt.getTime(),
    status: told(lastStatus),
  };
}

function remoteProcessFacts(pool: string, row: StatusRow): ProcessFacts {
  const { id = '', host = '', pid, state, running, queued, done, failed, rss, startedAt, status } = row;
  return {
    ...{ id: `${host}/${id}`, pool, host, pid, state, running, queued, done, failed, rss },
    connections: 0,
    startedAt: startedAt.getTime(),
    status: told(status),
  };
}

/** The processes of a pool: its own, oldest first, then those of other machines as these told of them. */
export function processFacts(pool: Pool): readonly ProcessFacts[] {
  const id = poolId(pool);
  const own = pool.processSet.all.map(process => ownProcessFacts(id, process));
  return [...own, ...(pool.remote?.status() ?? []).map(row => remoteProcessFacts(id, row))];
}

/** Counts a pool, those of its processes included. */
export function poolFacts(pool: Pool): PoolFacts {
  const { handle, worker, processSet } = pool;
  const { minWorkers, maxWorkers, runtime } = worker.settings;
  const totals = { running: 0, queued: pool.queued, ...pool.countsOfEnded, rss: 0, connections: 0, remote: 0 };
  for (const { inFlight, heartbeat, connections } of processSet.all) {
    totals.running += inFlight.running;
    totals.queued += inFlight.size - inFlight.running;
    totals.done += inFlight.done;
    totals.failed += inFlight.failed;
    totals.rss += heartbeat.rss ?? 0;
    totals.connections += connections;
  }
  for (const { pid, running, queued, done, failed, rss = 0 } of pool.remote?.status() ?? []) {
    // A host that has not told of its processes yet is a row without one.
    totals.remote += pid === undefined ? 0 : 1;
    totals.running += running;
    totals.queued += queued;
    totals.done += done;
    totals.failed += failed;
    totals.rss += rss;
  }
  return {
    id: poolId(pool),
    state: handle.state,
    paused: pool.dispatcher.isPaused,
    runtime,
    source: worker.source?.url,
    processes: processSet.all.length,
    isRemote: pool.remote?.isAlone === true,
    min: minWorkers,
    max: maxWorkers,
    ...totals,
    restarts: processSet.restarts,
  };
}

/** The calls that the processes of a pool have, and those that its hosts on other machines have. */
export function* callFacts(pool: Pool, now: number): Iterable<CallFacts> {
  const id = poolId(pool);
  for (const { id: process, pid, inFlight, publicView } of [...pool.processSet.all, ...(pool.remote?.all ?? [])]) {
    for (const call of inFlight.calls()) {
      yield {
        pool: id,
        task: call.target.name,
        process,
        host: publicView.host,
        pid: publicView.host === 'local' ? pid : undefined,
        number: call.id,
        caller: call.caller,
        state: call.isSettled ? 'given up' : call.began < 0 ? 'waiting' : 'running',
        age: call.began < 0 ? 0 : now - call.began,
        attempt: call.attempt,
      };
    }
  }
}
