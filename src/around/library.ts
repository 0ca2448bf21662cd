import type * as Cockatiel from 'cockatiel';

let loading: Promise<typeof Cockatiel> | undefined;

/** The library behind `retry()`, `timeout()` and `circuitBreaker()`. Loaded by the first of them: a worker without would pay for it at each start. */
export function cockatiel(): Promise<typeof Cockatiel> {
  return (loading ??= import('cockatiel'));
}
