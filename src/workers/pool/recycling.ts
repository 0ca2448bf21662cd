/** Below so many calls a process is replaced when it has had them, and not before: there is no room for more. */
const LEAST_CALLS = 10;
/** The least lead, as a share of `maxTasksPerWorker`. */
const LEAST_LEAD = 0.05;
/** How much longer than the last start the next ones may take. */
const SLOWER = 1.5;

/** One process that was given calls, as far as `maxTasksPerWorker` is concerned. */
export interface Aging {
  /** Calls that it was given, and the most that it may be. */
  readonly sent: number;
  readonly most: number;
  /** Milliseconds since it was ready. */
  readonly age: number;
  /** Milliseconds that the last start of a process took. */
  readonly startTime: number;
  /** Processes that may become due together, and are replaced one after the other. */
  readonly processes: number;
  /** From 0 to 1, another for each process: those that started together are not to be replaced together. */
  readonly jitter: number;
}

/**
 * True when the replacement of a process is to be started: so early that it is ready before the process has had its last call, going by how
 * quickly calls came, and in the second half of its life at the earliest.
 */
export function isDue({ sent, most, age, startTime, processes, jitter }: Aging): boolean {
  if (most < LEAST_CALLS || sent < most / 2) return false;
  const whileStarting = (sent / Math.max(1, age)) * startTime * processes * SLOWER;
  return most - sent <= Math.max(whileStarting, most * LEAST_LEAD) * (1 + jitter);
}
