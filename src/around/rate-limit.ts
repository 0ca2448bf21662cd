import type { AroundContext, AroundFunction, AroundKind } from '../decorators/around-types.js';
import { RateLimitError } from '../errors.js';
import { callable, checkNeeded, count, duration } from '../option-rules.js';
import { monotonicNow } from '../system-timers.js';
import { toMilliseconds, type Duration } from '../units.js';
import { UsageError } from '../errors.js';
import { onlyAround } from './chain.js';
import { KINDS_RULE } from './kinds-rule.js';

/** The options of {@link rateLimit}. */
export interface RateLimitOptions {
  /** How many may pass in `per`. */
  limit: number;
  per: Duration;
  /** How many may pass at once after a time without any. Default: `limit`. */
  burst?: number | undefined;
  /** Key of a count. Default: everything that the function wraps is counted together. */
  key?: ((context: AroundContext) => string) | undefined;
  /** Kinds that it wraps on a class or a module. Default: messages and requests; on a worker's class, its tasks. */
  kinds?: readonly AroundKind[] | undefined;
}

const RULES = { limit: count(1), per: duration, burst: count(1), key: callable, kinds: KINDS_RULE };

/** Keys that are remembered: beyond it the one that was longest unused begins anew. */
const MOST_KEYS = 10_000;

interface Bucket {
  left: number;
  at: number;
}

/**
 * Lets so many through in a time; the others are refused with a RateLimitError (429 for requests).
 * @throws UsageError for an option that does not exist, or is not what it must be.
 * @example @Around(rateLimit({ limit: 10, per: '1s', key: context => context.kind === 'message' ? context.connection.remote.address ?? '' : '' }))
 */
export function rateLimit(options: RateLimitOptions): AroundFunction {
  checkNeeded('rateLimit()', options, RULES, 'limit', 'per');
  const { limit, per: written, burst = limit, key = () => '', kinds = ['message', 'request', 'task'] } = options;
  const per = toMilliseconds(written);
  if (per === 0) throw new UsageError('rateLimit() takes { limit, per }: how many may pass in which time, above 0');
  const buckets = new Map<string, Bucket>();
  const bucketOf = (name: string, now: number): Bucket => {
    const bucket = buckets.get(name) ?? { left: burst, at: now };
    // Behind the others: the first one is the longest unused.
    buckets.delete(name);
    if (buckets.size >= MOST_KEYS) for (const oldest of buckets.keys()) if (buckets.delete(oldest)) break;
    buckets.set(name, bucket);
    return bucket;
  };
  return onlyAround(kinds, (context, next) => {
    const now = monotonicNow();
    const bucket = bucketOf(key(context), now);
    bucket.left = Math.min(burst, bucket.left + ((now - bucket.at) / per) * limit);
    bucket.at = now;
    if (bucket.left < 1) throw new RateLimitError(context.name, { limit, per, retryAfter: Math.ceil(((1 - bucket.left) / limit) * per) });
    bucket.left--;
    return next();
  });
}
