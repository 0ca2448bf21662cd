import type { AroundFunction, AroundKind, Next } from '../decorators/around-types.js';
import { asError, CircuitOpenError } from '../errors.js';
import { callable, checkGiven, count, duration } from '../option-rules.js';
import { monotonicNow } from '../system-timers.js';
import { toMilliseconds, type Duration } from '../units.js';
import { onlyAround } from './chain.js';
import { KINDS_RULE } from './kinds-rule.js';
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

/** Closed until failures come in succession, then open for a time. After it one at a time is let through, until one succeeds. */
class Circuit {
  readonly #most: number;
  readonly #openFor: number;
  /** Failures since the last success. */
  #failures = 0;
  /** Monotonic time from which on one is let through; undefined while it is closed. */
  #openUntil: number | undefined;
  #trying = false;

  constructor(most: number, openFor: number) {
    this.#most = most;
    this.#openFor = openFor;
  }

  /** Runs it, or throws a CircuitOpenError that names it. `counts`: whether an error is a failure. */
  async run(name: string, next: Next, counts: (error: Error) => boolean): Promise<unknown> {
    const isTrial = this.#openUntil !== undefined;
    if (isTrial && (this.#trying || monotonicNow() < this.#openUntil!)) throw new CircuitOpenError(name);
    this.#trying ||= isTrial;
    try {
      const result = await next();
      this.#failures = 0;
      if (isTrial) this.#openUntil = undefined;
      return result;
    } catch (thrown) {
      if (counts(asError(thrown))) this.#failed(isTrial);
      throw thrown;
    } finally {
      if (isTrial) this.#trying = false;
    }
  }

  /** One that was let through before the circuit opened does not keep it open for longer. */
  #failed(isTrial: boolean): void {
    if (isTrial || (this.#openUntil === undefined && ++this.#failures >= this.#most)) this.#openUntil = monotonicNow() + this.#openFor;
  }
}

/**
 * Lets nothing through for a while after failures in succession: what is refused fails with a CircuitOpenError at once (503 for requests).
 * Each task, and each method, has its own.
 * @throws UsageError for an option that does not exist, or is not what it must be.
 * @example @Module({ workers: [Prices], around: [circuitBreaker({ failures: 3, openFor: '5s' })] })
 */
export function circuitBreaker(options: CircuitBreakerOptions = {}): AroundFunction {
  checkGiven('circuitBreaker()', options, RULES);
  const { failures = 5, openFor = '10s', when = isTransient, kinds = ['call', 'task'] } = options;
  const circuits = new Map<string, Circuit>();
  return onlyAround(kinds, ({ name }, next) => {
    let circuit = circuits.get(name);
    if (!circuit) circuits.set(name, (circuit = new Circuit(failures, toMilliseconds(openFor))));
    return circuit.run(name, next, when);
  });
}
