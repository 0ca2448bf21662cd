import type { Member } from './member.js';

/** Why a process did not start, as one error: its own, or what is known of its end. */
export function bootError(member: Member): Error {
  const { error, exitCode, signal } = member.ending();
  if (error) return error;
  const how = signal ?? `exit code ${exitCode ?? 'unknown'}`;
  const words = member.stderr.trim();
  return new Error(`its process ended before it was ready (${how})${words === '' ? '' : `: ${words}`}`);
}
