/**
 * When to start, restart, give up, grow, shrink and recycle. Decisions only: facts in, a verdict out, no clock, no process.
 * The pool carries them out.
 */

/** How large a pool may be. */
export interface SizeRules {
  readonly minWorkers: number;
  readonly maxWorkers: number;
  readonly spare: number;
  readonly concurrency: number;
}

/** A pool at this moment. Processes that are being drained, stopped or killed are not part of it any more. */
export interface PoolLoad {
  readonly ready: number;
  readonly starting: number;
  /** Calls that run. */
  readonly running: number;
  /** Calls that wait, here or at a worker. */
  readonly queued: number;
  /** Connections that came in: each wants a process of its own, as long as there may be more. */
  readonly connections?: number | undefined;
}

/** Processes that the present load asks for: one per slot in use, per waiting call or per connection, and the spare ones. */
export function wanted(
  rules: SizeRules,
  { running, queued, connections = 0 }: Pick<PoolLoad, 'running' | 'queued' | 'connections'>,
): number {
  const busy = Math.max(Math.ceil((running + queued) / rules.concurrency), connections);
  return Math.min(rules.maxWorkers, Math.max(rules.minWorkers, busy + rules.spare));
}

/** Processes that may go because they have nothing to do: the others still suffice for the present load. */
export function dispensable(rules: SizeRules, load: PoolLoad): number {
  return Math.max(0, load.ready + load.starting - wanted(rules, load));
}

/** The option `restart`. */
export interface RestartRules {
  readonly maxFailedStarts: number;
  readonly within: number;
  readonly delay: number;
  readonly maxDelay: number;
}

/** History of a pool's starts. */
export interface Starts {
  /** When starts failed, as far back as `within`. */
  readonly failures: readonly number[];
  /** Failed starts since the last good one. */
  readonly inSuccession: number;
  /** No start before this moment. */
  readonly notBefore: number;
  /** The circuit breaker: calls are refused, and one start is tried per `maxDelay`. */
  readonly isBreakerOpen: boolean;
}

export const noFailures: Starts = { failures: [], inSuccession: 0, notBefore: 0, isBreakerOpen: false };

/** The breaker opens at once: whatever is tried now fails in the same way. */
export function afterMistake(starts: Starts, rules: RestartRules, now: number): Starts {
  return { ...starts, notBefore: now + rules.maxDelay, isBreakerOpen: true };
}

/**
 * One more start has failed. The breaker opens when `maxFailedStarts` failed `within` that time, or one after the other however slowly,
 * or at once (`hopeless`): a start that only ended by `startTimeout`, since callers have waited long enough then, or one that failed for a
 * mistake, which the next one would meet, too.
 */
export function afterFailure(starts: Starts, rules: RestartRules, now: number, hopeless: boolean): Starts {
  const failures = [...starts.failures.filter(at => now - at < rules.within), now];
  const inSuccession = starts.inSuccession + 1;
  const most = Math.max(1, rules.maxFailedStarts);
  const open = starts.isBreakerOpen || hopeless || failures.length >= most || inSuccession >= most;
  const delay = open ? rules.maxDelay : Math.min(rules.maxDelay, rules.delay * 2 ** (inSuccession - 1));
  // No more than it takes to decide is remembered.
  return { failures: failures.slice(-most), inSuccession, notBefore: now + delay, isBreakerOpen: open };
}

/** A process has proven itself: it finished a call, or lived for a second. */
export function afterSuccess(starts: Starts): Starts {
  return starts.inSuccession === 0 && !starts.isBreakerOpen ? starts : { ...starts, inSuccession: 0, notBefore: 0, isBreakerOpen: false };
}

/**
 * Processes that may start at the same time. A start takes a processor for itself: more of them than there are processors finish no sooner,
 * and those that serve already keep half of them.
 */
export function startsAtOnce(processors: number, ready: number): number {
  return ready === 0 ? processors : Math.max(1, Math.floor(processors / 2));
}

/** Processes to start now: as many as may start at once, the need is looked at again after each. After a failed start one at a time, and none before its delay has passed. */
export function toStart(rules: SizeRules, load: PoolLoad, starts: Starts, now: number, processors: number): number {
  const missing = wanted(rules, load) - load.ready - load.starting;
  if (missing <= 0 || now < starts.notBefore) return 0;
  const atOnce = starts.inSuccession === 0 ? startsAtOnce(processors, load.ready) : 1;
  return Math.min(missing, Math.max(0, atOnce - load.starting));
}

/**
 * Processes to start for a pool that finishes its work and takes none: one per slot in use or call that waits, none in reserve. Calls
 * that wait do not wait for the delay of a failed start, unless the breaker is open.
 */
export function toStartAtEnd(rules: SizeRules, load: PoolLoad, starts: Starts, now: number, processors: number): number {
  const { notBefore, isBreakerOpen: open } = starts;
  return toStart({ ...rules, minWorkers: 0, spare: 0 }, load, { ...starts, notBefore: open ? notBefore : 0 }, now, processors);
}

/** Whether new calls are to be refused: the breaker is open, no process serves, and it is not yet time to try again. */
export function refuses(starts: Starts, load: Pick<PoolLoad, 'ready' | 'starting'>, now: number): boolean {
  return starts.isBreakerOpen && load.ready === 0 && (load.starting > 0 || now < starts.notBefore);
}

/** Least time for an idle process to stop, even if the time is up for the calls of others: milliseconds. */
export const IDLE_STOP = 500;

/** How long a process must live, or else finish a call, for its start to count as good: milliseconds. */
export const PROBATION = 1000;

/** How a process ended, as far as its start is concerned. */
export interface ExitFacts {
  /** Milliseconds since it was ready; undefined: it never was. */
  readonly readyFor: number | undefined;
  /** Calls it finished. */
  readonly done: number;
  /** Calls it held when it died. */
  readonly inFlight: number;
  /** We ended it: for what a call did, or because it was to go. */
  readonly isEndedByUs: boolean;
}

/** Only failed starts slow a pool down: deaths under a call, and kills of ours, are replaced at once. */
export function isFailedStart({ readyFor, done, inFlight: held, isEndedByUs: ours }: ExitFacts): boolean {
  if (ours) return false;
  return readyFor === undefined || (readyFor < PROBATION && done === 0 && held === 0);
}

/**
 * The consequence of a process using `rss` bytes: above `maxMemory` it is replaced when its calls are done, above 1.5 times of it at once.
 */
export function onMemory(maxMemory: number, rss: number | undefined): 'keep' | 'recycle' | 'kill' {
  if (maxMemory === 0 || rss === undefined || rss <= maxMemory) return 'keep';
  return rss > 1.5 * maxMemory ? 'kill' : 'recycle';
}
