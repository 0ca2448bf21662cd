import { performance } from 'node:perf_hooks';
import process from 'node:process';
import * as timers from 'node:timers';

/**
 * The timers and clocks of this process as they were when the package was loaded. Test frameworks (sinon, `node:test`, Jest, Vitest) replace
 * the global ones while a test runs; links, pools and sockets must go on meanwhile, so all of `src/` takes them from here.
 */
export const { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate } = timers;

/** `process.nextTick`. */
export const { nextTick } = process;

/** `queueMicrotask`. */
export const { queueMicrotask } = globalThis;

/** Monotonic milliseconds: `performance.now()`. */
export const monotonicNow = performance.now.bind(performance);

/** Milliseconds since the epoch: `Date.now()`. */
export const epochNow = Date.now.bind(Date);
