import type { PooledProcess } from '../process/pooled-process.js';

/** The usual reason of an exit while a worker starts: a program of one file. */
const IMPORTED =
  'The module of the worker is imported in its process: what else it does there (listen(), process.exit(), a look at process.argv) happens in every worker, so keep it in another file';

/** Why a process did not start, as one error: its own, or what is known of its end. */
export function bootError(member: PooledProcess): Error {
  const { error, exitCode, signal } = member.ending();
  if (error) return error;
  const how = signal ?? `exit code ${exitCode ?? 'unknown'}`;
  const words = member.stderr.trim();
  const said = `its process ended before it was ready (${how})${words === '' ? '' : `: ${words}`}`;
  return new Error(signal ? said : `${said}. ${IMPORTED}`);
}
