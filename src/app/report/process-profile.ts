import { onAbort } from '../../abort-listeners.js';
import { ProfileError } from '../../errors.js';
import type { ProfileRequest } from '../../profiling/profile-request.js';
import type { Pool } from '../../workers/pool/pool.js';
import type { PooledProcess } from '../../workers/process/pooled-process.js';

/** Has a profile taken of a worker's process, or thread: its text in pieces. Throws ProfileError. */
export async function* processProfile(
  { host }: Pool,
  { profiles, stackLine, state, publicView }: PooledProcess,
  request: ProfileRequest,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const no = (why: string): ProfileError => new ProfileError('unavailable', `no profile can be taken of ${stackLine.slice(1, -1)}: ${why}`);
  if (publicView.host !== 'local') throw no('it runs on another machine, whose own page takes it');
  if (host.sharesMaster) throw no('it runs inside the master: take one of that');
  if (state !== 'ready' && state !== 'draining') throw no(`it is ${state}`);
  signal.throwIfAborted();
  const pieces = profiles.take(request);
  const leave = (): void => void pieces.return?.();
  const forget = onAbort(signal, leave);
  try {
    yield* pieces;
  } finally {
    forget();
    leave();
  }
  signal.throwIfAborted();
}
