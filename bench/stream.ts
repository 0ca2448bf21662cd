import { fork } from 'node:child_process';
import { Worker } from 'node:worker_threads';
import { spawn } from '../src/index.js';
import type { Contender } from './kit/contender.js';
import { ended } from './kit/exit.js';
import { chosen, readOptions } from './kit/options.js';
import { spending } from './kit/cpu.js';
import { report, type Table } from './kit/report.js';
import { runRounds } from './kit/rounds.js';
import type { Order } from './stream/fork-child.js';
import { StreamWorker } from './stream/worker.js';

/** Gives how many items arrived. */
type Stream = (order: Order) => Promise<number>;

const KB = 1024;

const SETTINGS = [
  { name: 'objects', count: 10_000 },
  { name: 'buffers of 1 KB', count: 10_000, size: KB },
  { name: 'buffers of 64 KB', count: 1000, size: 64 * KB },
];

const TABLES: readonly Table[] = [
  { key: 'cpu', unit: 'µs of CPU an item, user and system, all processes', better: 'less' },
  { key: 'rate', unit: 'items a second', better: 'more' },
];

async function counted(items: AsyncIterable<unknown>): Promise<number> {
  let count = 0;
  for await (const _item of items) count++;
  return count;
}

/** Counts messages until the one that says that it is over. */
function counter(): { order(send: () => void): Promise<number>; take(message: unknown): void } {
  let count = 0;
  let over!: (count: number) => void;
  return {
    order: send =>
      new Promise(resolve => {
        count = 0;
        over = resolve;
        send();
      }),
    take: message => {
      if (message === 'end') over(count);
      else count++;
    },
  };
}

const CONTENDERS: readonly Contender<Stream>[] = [
  {
    name: 'packet-ts',
    start: async () => {
      const worker = await spawn(StreamWorker, { logger: false });
      return {
        subject: ({ count, size }) => counted(size === undefined ? worker.items(count) : worker.chunks({ count, size })),
        stop: () => worker.close(),
      };
    },
  },
  {
    name: 'packet-ts thread',
    start: async () => {
      const worker = await spawn(StreamWorker, { runtime: 'thread', logger: false });
      return {
        subject: ({ count, size }) => counted(size === undefined ? worker.items(count) : worker.moved({ count, size })),
        stop: () => worker.close(),
      };
    },
  },
  {
    name: 'fork advanced, no credit',
    start: async () => {
      const child = fork(new URL('./stream/fork-child.js', import.meta.url), { serialization: 'advanced' });
      const { order, take } = counter();
      child.on('message', take);
      return { subject: wanted => order(() => void child.send(wanted)), stop: () => ended(child) };
    },
  },
  {
    name: 'thread, no credit',
    start: async () => {
      const worker = new Worker(new URL('./stream/thread-child.js', import.meta.url));
      const { order, take } = counter();
      worker.on('message', take);
      return { subject: wanted => order(() => worker.postMessage(wanted)), stop: () => worker.terminate() };
    },
  },
];

/** Items of an async generator in a worker, read with `for await`: against messages that nobody holds back and nobody checks. */
export async function run(argv: readonly string[]): Promise<void> {
  const options = readOptions(argv, { rounds: 7, ms: 150 });
  const measure = async (stream: Stream, { count, size }: Order, warmUp: boolean): Promise<{ rate: number; items: number }> => {
    const begin = performance.now();
    let items = 0;
    let took = 0;
    do {
      const got = await stream({ count, ...(size === undefined ? {} : { size }) });
      if (got !== count) throw new Error(`${got} of ${count} items`);
      items += got;
      took = performance.now() - begin;
    } while (took < (warmUp ? 300 : options.ms));
    return { rate: (items * 1000) / took, items };
  };
  const figures = await runRounds(chosen(CONTENDERS, options), SETTINGS, options.rounds, async (stream, setting, warmUp) => {
    const { result, cpu } = await spending(() => measure(stream, setting, warmUp));
    return { ...result, cpu: cpu / result.items };
  });
  report('stream', TABLES, figures);
}
