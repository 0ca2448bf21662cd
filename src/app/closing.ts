import type { Clock } from '../clock.js';
import { deadline as limit } from '../deadline.js';
import type { CloseSummary } from './app.js';

/** The parts of an application, as its end sees them. */
export interface ClosingParts {
  readonly clock: Clock;
  /** Step 1. Never rejects. */
  stopListening(): Promise<unknown>;
  /** Steps 2, 3 and 5 for every connection: `@OnShutdown`, what is decoded is handled, flush, end, wait for the peer, destroy. Never rejects. */
  shutDownConnections(): Promise<unknown>;
  /** Step 4: from now on new calls are refused, but for those that belong to what runs already. */
  refuseCalls(): void;
  /** Resolves when no call runs or waits. */
  callsSettled(): Promise<void>;
  /** Step 6: `@OnStop` of providers and proxies, in reverse order. Never rejects. */
  stopResidents(): Promise<void>;
  /** Then the workers. */
  stopWorkers(timeout: number): Promise<{ readonly calls: number; readonly pids: readonly number[] }>;
  /** Step 7, past the deadline: destroys every connection that is left; their number. */
  destroyConnections(): number;
  /** Then what the container made is disposed of. Never rejects. */
  dispose(): Promise<void>;
  /** What is left then: the hosts. It must wait for nothing of the user's: that had its time. Never rejects. */
  release(): Promise<void>;
}

/** The least that workers get to be killed and buried, past the deadline. */
const LEAST_FOR_WORKERS = 1;

/**
 * Ends an application in the seven steps. Each step has the time that is left until the deadline; whatever a step has not finished
 * then is cut off by the last one, which always runs. `cutOff` brings the deadline forward.
 */
export async function closeInOrder(parts: ClosingParts, timeout: number, cutOff: AbortSignal): Promise<CloseSummary> {
  const { clock } = parts;
  const deadline = timeout === 0 ? Infinity : clock.now() + timeout;
  const late = Symbol('late');
  let expired = false;
  let cancel = (): void => {};
  const alarm = new Promise<typeof late>(resolve => {
    cutOff.addEventListener('abort', () => resolve(late));
    if (deadline === Infinity) return;
    const timer = limit(clock, timeout, () => resolve(late), true);
    cancel = () => timer.cancel();
  });
  const within = async (step: () => Promise<unknown>): Promise<void> => {
    if (expired) return;
    if ((await Promise.race([step(), alarm])) === late) expired = true;
  };

  await within(() => parts.stopListening());
  parts.refuseCalls();
  await within(() => Promise.all([parts.shutDownConnections(), parts.callsSettled()]));
  await within(() => parts.callsSettled());
  await within(() => parts.stopResidents());
  const connections = parts.destroyConnections();
  const left = expired ? LEAST_FOR_WORKERS : deadline === Infinity ? 0 : Math.max(LEAST_FOR_WORKERS, deadline - clock.now());
  const { calls, pids } = await parts.stopWorkers(left);
  // Past the deadline it is begun all the same, and not waited for.
  if ((await Promise.race([parts.dispose(), alarm])) === late) expired = true;
  cancel();
  await parts.release();
  return { graceful: !expired && connections === 0 && calls === 0 && pids.length === 0, connections, calls, workers: pids.length };
}

/** Resolves after so many milliseconds, or when the signal aborts. */
export function pause(clock: Clock, milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const timer = clock.after(milliseconds, resolve, true);
    signal.addEventListener('abort', () => {
      timer.cancel();
      resolve();
    });
  });
}
