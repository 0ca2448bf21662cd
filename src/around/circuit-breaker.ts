import type { CircuitBreakerPolicy } from 'cockatiel';
import type { AroundFunction, AroundKind } from '../decorators/around-types.js';
import { CircuitOpenError } from '../errors.js';
import { callable, checkGiven, count, duration } from '../option-rules.js';
import { toMilliseconds, type Duration } from '../units.js';
import { onlyAround } from './chain.js';
import { KINDS_RULE } from './kinds-rule.js';
import { cockatiel } from './library.js';
import { isTransient } from './transient.js';

/** The options of {@link circuitBreaker}. */
export interface CircuitBreakerOptions {
  /** Failures in succession that open it. Default 5. */
  failures?: number | undefined;
  /** For how long it lets nothing through; then one is let through, and closes it if it succeeds. Default '10s'. */
  openFor?: Duration | undefined;
  /** Whether an error counts as a failure. Default: any but those that say the caller is wrong, or has given up. */
  when?: ((error: Error) => boolean) | undefined;
  /** Kinds that it wraps on a class or a module. Default: calls and tasks. */
  kinds?: readonly AroundKind[] | undefined;
}

const RULES = { failures: count(1), openFor: duration, when: callable, kinds: KINDS_RULE };

/**
 * Lets nothing through for a while after failures in succession: what is refused fails with a CircuitOpenError at once (503 for requests).
 * Each task, and each method, has its own.
 * @throws UsageError for an option that does not exist, or is not what it must be.
 * @example @Module({ workers: [Prices], around: [circuitBreaker({ failures: 3, openFor: '5s' })] })
 */
export function circuitBreaker(options: CircuitBreakerOptions = {}): AroundFunction {
  checkGiven('circuitBreaker()', options, RULES);
  const { failures = 5, openFor = '10s', when = isTransient, kinds = ['call', 'task'] } = options;
  const library = cockatiel();
  const breakers = new Map<string, CircuitBreakerPolicy>();
  return onlyAround(kinds, async (context, next) => {
    const { circuitBreaker: make, handleWhen, ConsecutiveBreaker, BrokenCircuitError } = await library;
    let breaker = breakers.get(context.name);
    if (!breaker) {
      breaker = make(handleWhen(when), { halfOpenAfter: toMilliseconds(openFor), breaker: new ConsecutiveBreaker(failures) });
      breakers.set(context.name, breaker);
    }
    try {
      return await breaker.execute(() => next());
    } catch (error) {
      throw error instanceof BrokenCircuitError ? new CircuitOpenError(context.name) : error;
    }
  });
}
