import { WorkerCrashedError, type CrashDetails } from '../../../errors.js';
import type { Call } from '../../call/call.js';
import type { LostCall } from '../in-flight.js';
import { callNameOf } from '../../call/call-target.js';

/** A dead process, as far as its calls are concerned. */
export interface ExitedProcess {
  readonly pid: number;
  readonly publicView: { readonly host: string };
  readonly crashReason: CrashDetails['reason'];
  readonly stderr: string;
  exitReason(): { readonly exitCode: number | null; readonly signal: NodeJS.Signals | null };
}

/** The calls of an exited process, sorted by what to do with them. */
export interface CrashOutcome {
  /** To be dispatched again, in this order. */
  readonly again: readonly Call[];
  /** Those of them that had begun: this is another attempt. */
  readonly retried: readonly Call[];
  /** Over. Without an error: the caller had given it up before. */
  readonly failed: readonly { readonly call: Call; readonly error: Error | undefined }[];
}

/**
 * Calls that were not started are dispatched again; started ones fail, or are tried again where their task is idempotent.
 * @param over the worker was stopped: nothing is dispatched any more
 */
export function crashOutcome(
  deceased: ExitedProcess,
  key: string | undefined,
  unstarted: readonly Call[],
  lost: readonly LostCall[],
  over: boolean,
): CrashOutcome {
  const { exitCode, signal } = deceased.exitReason();
  const { pid, stderr, crashReason: reason } = deceased;
  const { host } = deceased.publicView;
  const retried: Call[] = [];
  const again: Call[] = [];
  const failed: { call: Call; error: Error | undefined }[] = [];
  const crash = (call: Call, started: LostCall['started']): WorkerCrashedError =>
    new WorkerCrashedError(callNameOf(call.target, key), {
      pid,
      host,
      exitCode,
      signal,
      reason,
      started,
      stderr,
      previous: call.previous ?? [],
    });

  for (const { call, started, isRepeatable: repeatable } of lost) {
    if (call.isSettled) failed.push({ call, error: undefined });
    else if (repeatable && !over) {
      // The error of this attempt must not hold its predecessors twice.
      const error = new WorkerCrashedError(callNameOf(call.target, key), { pid, host, exitCode, signal, reason, started, stderr });
      (call.previous ??= []).push(error);
      call.attempt++;
      retried.push(call);
    } else failed.push({ call, error: crash(call, started) });
  }
  for (const call of unstarted) {
    if (over) failed.push({ call, error: crash(call, 'maybe') });
    else again.push(call);
  }
  return { again: [...retried, ...again], retried, failed };
}
