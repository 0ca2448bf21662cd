import { spawn } from '../../src/index.js';
import { callOnce, work, type Call, type Order, type Receipt } from '../dispatch/work.js';
import { ReceiptWorker } from '../dispatch/workers/packet.js';
import type { Contender } from '../kit/contender.js';
import { masterCpu } from '../kit/cpu.js';

/** A call for one of several callers: the pool takes them in turn. */
type CallFor = (order: Order, caller?: string) => Promise<Receipt>;

/** A pool that lets any number of calls wait. */
export const packet: Contender<CallFor> = {
  name: 'packet-ts',
  start: async () => {
    const worker = await spawn(ReceiptWorker, { logger: false, maxQueue: 0, maxQueuePerCaller: 0 });
    return { subject: (order, caller) => worker.receipt(order, { caller: caller ?? 'one' }), stop: () => worker.close() };
  },
};

/** Answers in a turn of the event loop. */
const A_TURN = 256;

/** What the client alone costs, and the collector with so many promises pending: an array for a queue, no worker, no copy. */
const client: Contender<Call> = {
  name: 'pending promises alone',
  start: async () => {
    let waiting: { readonly order: Order; resolve(receipt: Receipt): void }[] = [];
    let next = 0;
    const answer = (): void => {
      for (const end = Math.min(waiting.length, next + A_TURN); next < end; next++) waiting[next]!.resolve(work(waiting[next]!.order));
      if (next < waiting.length) return void setImmediate(answer);
      waiting = [];
      next = 0;
    };
    return {
      subject: order =>
        new Promise(resolve => {
          if (waiting.length === 0) setImmediate(answer);
          waiting.push({ order, resolve });
        }),
      stop: () => {},
    };
  },
};

export const queues = [packet, client];

/** Microseconds of the master's main thread a call, where so many are made at once, and again when all are answered, for at least `ms`. */
export async function costInBursts(call: Call, calls: number, ms: number): Promise<number> {
  const cpu = masterCpu();
  const end = performance.now() + ms;
  let done = 0;
  do {
    await allOf(calls, () => callOnce(call));
    done += calls;
  } while (performance.now() < end);
  return (masterCpu() - cpu) / done;
}

/** As `Promise.all` without its array: a million of its closures would be what is measured. */
function allOf(count: number, call: () => Promise<unknown>): Promise<void> {
  return new Promise((resolve, reject) => {
    let left = count;
    const answered = (): void => {
      if (--left === 0) resolve();
    };
    for (let i = 0; i < count; i++) call().then(answered, reject);
  });
}

/** Calls of the one who passes under way at a time. */
const PASSING = 64;

/**
 * Microseconds of the master's main thread a call, where one caller lets so many calls wait and another's pass them: the pool takes a call of
 * each in turn, so that as many leave the crowd as pass it. What it takes to make the crowd, and to answer the rest of it, does not count.
 */
export async function costOfPassing(call: CallFor, waiting: number, ms: number): Promise<number> {
  let answered = 0;
  const crowd = allOf(waiting, () => callOnce(order => call(order, 'crowd')).then(() => void answered++));
  // Those that found the worker free are over, and the collector has moved the others.
  await allOf(PASSING, () => callOnce(order => call(order, 'passer')));
  const before = answered;
  const cpu = masterCpu();
  const end = performance.now() + ms;
  let passed = 0;
  await Promise.all(
    Array.from({ length: PASSING }, async () => {
      for (; performance.now() < end; passed++) await callOnce(order => call(order, 'passer'));
    }),
  );
  const used = masterCpu() - cpu;
  const done = passed + answered - before;
  if (waiting > passed && answered === waiting) throw new Error('nobody waited any more');
  await crowd;
  return used / done;
}
