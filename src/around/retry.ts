import { onAbort } from '../abort-listeners.js';
import { realClock } from '../clock.js';
import type { AroundFunction, AroundKind } from '../decorators/around-types.js';
import { AbortError, asError } from '../errors.js';
import { callable, checkGiven, count, duration, flag, number } from '../option-rules.js';
import { toMilliseconds, type Duration } from '../units.js';
import { onlyAround } from './chain.js';
import { KINDS_RULE } from './kinds-rule.js';
import { isTransient } from './transient.js';

/** The options of {@link retry}. */
export interface RetryOptions {
  /** How often it is run in all. Default 3. */
  attempts?: number | undefined;
  /** The pause before the second try. Default '100ms'. */
  delay?: Duration | undefined;
  /** By how much each pause is longer than the one before. Default 2. */
  factor?: number | undefined;
  /** The longest pause. Default '10s'. */
  maxDelay?: Duration | undefined;
  /** Each pause is shorter by a random part, so that callers which failed together do not try again together. Default true. */
  jitter?: boolean | undefined;
  /** Whether it is worth another try. Default: any error but those that say the caller is wrong, or has given up. */
  when?: ((error: Error) => boolean) | undefined;
  /** Kinds that it wraps on a class or a module. Default: calls and tasks. */
  kinds?: readonly AroundKind[] | undefined;
}

const RULES = {
  attempts: count(1),
  delay: duration,
  factor: number(1),
  maxDelay: duration,
  jitter: flag,
  when: callable,
  kinds: KINDS_RULE,
};

/** Waits so many milliseconds. Rejects with an AbortError as soon as the signal aborts. */
function pause(delay: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const forget = onAbort(signal, reason => {
      timer.cancel();
      reject(new AbortError(reason));
    });
    const passed = (): void => {
      forget();
      resolve();
    };
    const timer = realClock.after(delay, passed, true);
  });
}

/**
 * Tries again what failed, after pauses that grow. A call is run again whether its task is `idempotent` or not: the author of this
 * decorator says that it may be. A stream is not: it fails after it was given. A caller that gives up does not wait for the pause.
 * @throws UsageError for an option that does not exist, or is not what it must be.
 * @example @Around(retry({ attempts: 5, delay: '50ms' })) @OnData() async look(query: string) { … }
 */
export function retry(options: RetryOptions = {}): AroundFunction {
  checkGiven('retry()', options, RULES);
  const { attempts = 3, delay = '100ms', factor = 2, maxDelay = '10s', jitter = true, when = isTransient } = options;
  const { kinds = ['call', 'task'] } = options;
  const [first, longest] = [toMilliseconds(delay), toMilliseconds(maxDelay)];
  return onlyAround(kinds, async ({ signal }, next) => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await next();
      } catch (thrown) {
        if (attempt >= attempts || signal?.aborted || !when(asError(thrown))) throw thrown;
      }
      await pause(Math.min(longest, first * factor ** (attempt - 1)) * (jitter ? Math.random() : 1), signal);
    }
  });
}
