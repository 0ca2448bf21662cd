import { realClock, type ClockTimer } from '../clock.js';
import { deadline } from '../deadline.js';
import type { AroundFunction, AroundKind } from '../decorators/around-types.js';
import { OperationTimeoutError, UsageError } from '../errors.js';
import { checkGiven, duration, show } from '../option-rules.js';
import { toMilliseconds, type Duration } from '../units.js';
import { onlyAround } from './chain.js';
import { KINDS_RULE } from './kinds-rule.js';

/** The options of {@link timeout}. */
export interface TimeoutOptions {
  /** Kinds that it wraps on a class or a module. Default: calls and tasks. */
  kinds?: readonly AroundKind[] | undefined;
}

/**
 * Rejects with an OperationTimeoutError what takes longer; a call is aborted then, the others go on unheard. It counts from the beginning,
 * waiting in a queue included. A task that awaits nothing is ended by the worker's own `timeout` only.
 * @throws UsageError for what is no duration above 0.
 * @example @Module({ connections: [EvalConnection], workers: [EvalWorker], around: [timeout('2s')] })
 */
export function timeout(after: Duration, options: TimeoutOptions = {}): AroundFunction {
  checkGiven('timeout()', options, { kinds: KINDS_RULE });
  const within = duration.fits(after) ? toMilliseconds(after) : 0;
  if (within === 0) throw new UsageError(`timeout(${show(after)}): expected ${duration.expects}, above 0`);
  const { kinds = ['call', 'task'] } = options;
  return onlyAround(kinds, async (context, next) => {
    const control = new AbortController();
    let limit: ClockTimer | undefined;
    const expired = new Promise<never>((_, reject) => {
      const expire = (): void => {
        const error = new OperationTimeoutError(context.name, within);
        // Before the call hears of it, and rejects with an AbortError.
        reject(error);
        control.abort(error);
      };
      limit = deadline(realClock, within, expire, true);
    });
    try {
      return await Promise.race([next({ signal: control.signal }), expired]);
    } finally {
      limit?.cancel();
    }
  });
}
