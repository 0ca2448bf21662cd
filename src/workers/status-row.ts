import type { WorkerStatus } from '../decorators/worker-types.js';
import type { Member } from './member.js';

/** One process, as `workers.status()` shows it. */
export function rowOf(member: Member): Omit<WorkerStatus, 'name' | 'key' | 'pool' | 'restarts'> {
  const { id, pid, face, state, roster, pulse, startedAt, lastStatus } = member;
  return {
    id,
    host: face.host,
    pid,
    state: state === 'ready' || state === 'starting' ? state : 'stopping',
    running: roster.running,
    queued: roster.size - roster.running,
    done: roster.done,
    failed: roster.failed,
    rss: pulse.rss,
    startedAt,
    status: lastStatus,
  };
}
