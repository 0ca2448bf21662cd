import { onAbort } from '../abort-listeners.js';
import type { Clock, ClockTimer } from '../clock.js';
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
  /** Step 7, past the time of connections: destroys every one that is left in this process; their number. */
  destroyConnections(): number;
  /** Connections that are open in workers: they end with their processes. */
  workerConnections(): number;
  /** Then what the container made is disposed of. Never rejects. */
  dispose(): Promise<void>;
  /** Releases the hosts. It must not wait for code of the user, which had its time. Never rejects. */
  release(): Promise<void>;
}

/** The least that workers get to be killed and buried, past the deadline. */
const LEAST_FOR_WORKERS = 1;
/** Part of the time that is kept for `@OnStop` of providers, proxies and workers, whatever connections and calls do; and no more than this, in milliseconds. */
const SHARE = 0.25;
const MOST_SHARE = 2_500;

/** A moment after which nothing more is waited for. */
class Alarm {
  passed = false;
  readonly #timer: ClockTimer | undefined;
  readonly #over: Promise<false>;
  readonly #forget: () => void;

  constructor(clock: Clock, timeout: number, deadline: number, cutOff: AbortSignal) {
    let ring!: () => void;
    this.#over = new Promise(resolve => {
      ring = () => {
        this.passed = true;
        resolve(false);
      };
    });
    this.#forget = onAbort(cutOff, ring);
    if (deadline !== Infinity) this.#timer = limit(clock, timeout, ring, true);
  }

  /** True: the work was done in time. */
  before(work: Promise<unknown>): Promise<boolean> {
    return Promise.race([work.then(() => true), this.#over]);
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#forget();
  }
}

/**
 * Ends an application in the seven steps. Connections and calls have the time until the deadline but for a share, which is kept for
 * `@OnStop`; each later step has what is left. Whatever is not finished then is cut off, which always happens. `cutOff` brings the deadline
 * forward.
 */
export async function closeInOrder(parts: ClosingParts, timeout: number, cutOff: AbortSignal): Promise<CloseSummary> {
  const { clock } = parts;
  const deadline = timeout === 0 ? Infinity : clock.now() + timeout;
  let expired = false;
  const alarms = [Math.min(timeout * SHARE, MOST_SHARE), 0].map(kept => new Alarm(clock, timeout - kept, deadline, cutOff));
  const [early, last] = alarms as [Alarm, Alarm];
  const within = async (alarm: Alarm, step: () => Promise<unknown>): Promise<void> => {
    if (!alarm.passed && (await alarm.before(step()))) return;
    expired = true;
  };

  await within(early, () => parts.stopListening());
  parts.refuseCalls();
  await within(early, () => Promise.all([parts.shutDownConnections(), parts.callsSettled()]));
  await within(early, () => parts.callsSettled());
  const cut = expired ? parts.destroyConnections() : 0;
  await within(last, () => parts.stopResidents());
  // Those whose last hook never settles are still there when they are counted again.
  const connections = Math.max(cut, parts.destroyConnections()) + parts.workerConnections();
  const left = last.passed ? LEAST_FOR_WORKERS : deadline === Infinity ? 0 : Math.max(LEAST_FOR_WORKERS, deadline - clock.now());
  const { calls, pids } = await parts.stopWorkers(left);
  // Past the deadline it is begun all the same, and not waited for.
  if (!(await last.before(parts.dispose()))) expired = true;
  for (const alarm of alarms) alarm.cancel();
  await parts.release();
  return { graceful: !expired && connections === 0 && calls === 0 && pids.length === 0, connections, calls, workers: pids.length };
}

/** Resolves after so many milliseconds, or when the signal aborts. */
export function pause(clock: Clock, milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const forget = onAbort(signal, () => {
      timer.cancel();
      resolve();
    });
    const passed = (): void => {
      forget();
      resolve();
    };
    const timer = clock.after(milliseconds, passed, true);
  });
}
