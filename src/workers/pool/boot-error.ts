import type { PooledProcess } from '../process/pooled-process.js';

/** The usual reason of an exit while a worker starts: a program of one file. */
const IMPORTED =
  'The module of the worker is imported in its process: what else it does there (listen(), process.exit(), a look at process.argv) happens in every worker, so keep it in another file';

/**
 * Whether two processes, one after the other, could not start for the same error of the worker's own code: a constructor that always throws. One
 * with a `code` or a `cause` may come from a service that is not there yet.
 */
export function isSameMistake(before: Error | undefined, exited: PooledProcess, now: Error): boolean {
  if (!before || exited.exitReason().error === undefined || exited.hasTimedOut) return false;
  return before.name === now.name && before.message === now.message && !('code' in now) && now.cause === undefined;
}

/** Why a process did not start, as one error: its own, or what is known of its end. */
export function bootError(exited: PooledProcess): Error {
  const { error, exitCode, signal } = exited.exitReason();
  if (error) return error;
  const how = signal ?? `exit code ${exitCode ?? 'unknown'}`;
  const words = exited.stderr.trim();
  const said = `its process ended before it was ready (${how})${words === '' ? '' : `: ${words}`}`;
  return new Error(signal ? said : `${said}. ${IMPORTED}`);
}
