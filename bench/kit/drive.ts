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
  readonly cpu: number;
}

function driven(done: number, ms: number, cpu: number, latencies: Latencies): Driven {
  return { rate: (done * 1000) / ms, p50: latencies.percentile(0.5), p99: latencies.percentile(0.99), cpu: cpu / done };
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

/**
 * Calls that arrive by chance (a Poisson process) so many times a second, whether earlier ones were answered or not.
 * The latency of each counts from the moment at which it was due, so that a client that was held up does not hide what it waited for.
 */
export async function offer(call: () => Promise<unknown>, perSecond: number, ms: number): Promise<Driven> {
  const latencies = new Latencies();
  const next = chance(20_000);
  let issued = 0;
  let done = 0;
  let failure: unknown;
  const cpu = masterCpu();
  const begin = performance.now();
  const end = begin + ms;
  for (let due = begin; due < end && failure === undefined;) {
    const now = performance.now();
    for (; due <= now && due < end; due += (-Math.log(next()) * 1000) / perSecond) {
      const at = due;
      issued += 1;
      call().then(
        () => {
          latencies.add(performance.now() - at);
          done += 1;
        },
        (error: unknown) => void (failure ??= error),
      );
    }
    await turn();
  }
  const used = masterCpu() - cpu;
  const took = performance.now() - begin;
  while (done < issued && failure === undefined) await turn();
  if (failure !== undefined) throw failure as Error;
  return driven(done, took, used, latencies);
}

/** One turn of the event loop, in which answers come in. */
function turn(): Promise<void> {
  return new Promise(resolve => void setImmediate(resolve));
}

/** The same numbers between 0 and 1 for every contender. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state + 1) / 2 ** 32;
  };
}
