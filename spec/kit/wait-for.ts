import { toMilliseconds, type Duration } from '../../src/units.js';

export interface WaitOptions {
  /** How long it may take on an idle machine; a busy one has ten times as long. Default '2s'. */
  readonly within?: Duration;
  /** What is waited for, for the error. */
  readonly what?: string | (() => string);
}

/** How many times as long a busy machine may take: a limit that is passed means a fault, not a neighbour. */
const BUSY = 10;

type Truthy<T> = Exclude<T, false | 0 | '' | null | undefined>;

/**
 * Resolves with what `condition` returns as soon as that is truthy. Where there is an event, await the event instead.
 * A condition that throws is not met yet; the last error is the cause when time is up.
 * @throws Error when `within` has passed.
 * @example await waitFor(() => app.reactor.connections().count === 0, { within: '1s', what: 'the connection to go' });
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  { within = '2s', what = String(condition) }: WaitOptions = {},
): Promise<Truthy<T>> {
  const deadline = performance.now() + BUSY * toMilliseconds(within);
  let cause: unknown;
  for (let pause = 1; ; pause = Math.min(pause * 2, 20)) {
    try {
      const value = await condition();
      // Cast: what is truthy has none of the excluded values.
      if (value) return value as Truthy<T>;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (performance.now() >= deadline) {
      throw new Error(`after ${BUSY} × ${within} still waiting for ${typeof what === 'string' ? what : what()}`, { cause });
    }
    await new Promise(resolve => setTimeout(resolve, pause));
  }
}

/**
 * The same promise, but it rejects when it is not settled in time.
 * @example await soon(client.closed, { within: '1s', what: 'the close' });
 */
export async function soon<T>(promise: PromiseLike<T>, { within = '2s', what = 'a promise' }: WaitOptions = {}): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new Error(`after ${BUSY} × ${within} still waiting for ${typeof what === 'string' ? what : what()}`)),
      BUSY * toMilliseconds(within),
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
