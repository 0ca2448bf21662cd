import { parentPort } from 'node:worker_threads';
import type { Load } from './arrivals.js';

/** Nobody ever wakes it: to wait here is to sleep. */
const cell = new Int32Array(new SharedArrayBuffer(4));

parentPort!.on('message', ({ perSecond, ms }: Load) => {
  const next = chance(20_000);
  const begin = performance.now();
  let count = 0;
  for (let due = begin; due < begin + ms; due += (-Math.log(next()) * 1000) / perSecond) {
    const left = due - performance.now();
    if (left > 0) Atomics.wait(cell, 0, 0, left);
    parentPort!.postMessage(performance.timeOrigin + performance.now());
    count += 1;
  }
  parentPort!.postMessage(-count);
});

/** The same numbers between 0 and 1 for every contender. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state + 1) / 2 ** 32;
  };
}
