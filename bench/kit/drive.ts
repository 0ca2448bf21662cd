import type { Arrivals, Load } from './arrivals.js';
import { masterCpu } from './cpu.js';
import { Latencies } from './latencies.js';

/** What driving a contender showed. */
export interface Driven {
  /** Calls a second. */
  readonly rate: number;
  /** Microseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Microseconds of the master's main thread for each call, the client's own included. */
  readonly master: number;
  readonly done: number;
}

function driven(done: number, ms: number, cpu: number, latencies: Latencies): Driven {
  return { rate: (done * 1000) / ms, p50: latencies.percentile(0.5), p99: latencies.percentile(0.99), master: cpu / done, done };
}

/** The client that drives every contender alike: one promise a call, a fixed number of them in flight. */
export async function drive(call: () => Promise<unknown>, inFlight: number, ms: number): Promise<Driven> {
  const latencies = new Latencies();
  let done = 0;
  const cpu = masterCpu();
  const begin = performance.now();
  const end = begin + ms;
  const lane = async (): Promise<void> => {
    for (let now = performance.now(); now < end;) {
      await call();
      const after = performance.now();
      latencies.add(after - now);
      now = after;
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return driven(done, performance.now() - begin, masterCpu() - cpu, latencies);
}

/** Calls that arrive as they do elsewhere, whatever becomes of the earlier ones. The latency of each counts from its arrival. */
export async function offer(arrivals: Arrivals, call: () => Promise<unknown>, load: Load): Promise<Pick<Driven, 'p50' | 'p99' | 'done'>> {
  const latencies = new Latencies();
  const { timeOrigin } = performance;
  let open = 0;
  let allAnswered: (() => void) | undefined;
  let failure: Error | undefined;
  const issued = await arrivals.offer(load, at => {
    open += 1;
    call()
      .then(() => latencies.add(timeOrigin + performance.now() - at))
      .catch((error: Error) => (failure ??= error))
      .finally(() => {
        if (--open === 0) allAnswered?.();
      });
  });
  if (open > 0) await new Promise<void>(resolve => (allAnswered = resolve));
  if (failure) throw failure;
  if (issued === 0) throw new Error('nothing arrived');
  return { p50: latencies.percentile(0.5), p99: latencies.percentile(0.99), done: issued };
}
