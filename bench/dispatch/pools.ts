import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { Tinypool } from 'tinypool';
import workerpool from 'workerpool';
import type { Contender } from '../kit/contender.js';
import type { Call, Order, Receipt } from './work.js';

const file = (name: string): string => fileURLToPath(new URL(`./workers/${name}.js`, import.meta.url));

function piscina(name: string, options: { concurrentTasksPerWorker?: number }): Contender<Call> {
  return {
    name,
    start: async () => {
      const pool = new Piscina<Order, Receipt>({ filename: file('function'), minThreads: 1, maxThreads: 1, ...options });
      return { subject: order => pool.run(order), stop: () => pool.destroy() };
    },
  };
}

function tinypool(name: string, runtime: 'worker_threads' | 'child_process'): Contender<Call> {
  return {
    name,
    start: async () => {
      const pool = new Tinypool({ filename: file('function'), runtime, minThreads: 1, maxThreads: 1 });
      return { subject: order => pool.run(order) as Promise<Receipt>, stop: () => pool.destroy() };
    },
  };
}

function pool(name: string, workerType: 'process' | 'thread'): Contender<Call> {
  return {
    name,
    start: async () => {
      const workers = workerpool.pool(file('workerpool'), { workerType, minWorkers: 1, maxWorkers: 1 });
      return {
        subject: async order => (await workers.exec('work', [order])) as Receipt,
        stop: async () => void (await workers.terminate(true)),
      };
    },
  };
}

/** Pools of one worker each, with their default options unless the name says otherwise. */
export const pools: readonly Contender<Call>[] = [
  piscina('piscina', {}),
  piscina('piscina 64 concurrent', { concurrentTasksPerWorker: 64 }),
  tinypool('tinypool thread', 'worker_threads'),
  tinypool('tinypool process', 'child_process'),
  pool('workerpool thread', 'thread'),
  pool('workerpool process', 'process'),
];
