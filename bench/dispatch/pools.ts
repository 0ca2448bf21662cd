import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { Tinypool } from 'tinypool';
import { FixedClusterPool, FixedThreadPool } from 'poolifier';
import { Worker as JestWorker } from 'jest-worker';
import workerpool from 'workerpool';
import type { Contender } from '../kit/contender.js';
import type { Call, Order, Receipt } from './work.js';

const file = (name: string, extension = 'js'): string => fileURLToPath(new URL(`./workers/${name}.${extension}`, import.meta.url));

function piscinaWith(name: string, options: { concurrentTasksPerWorker?: number }): Contender<Call> {
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

function poolifier(name: string, kind: 'thread' | 'cluster'): Contender<Call> {
  return {
    name,
    start: async () => {
      const workers =
        kind === 'thread'
          ? new FixedThreadPool<Order, Receipt>(1, file('poolifier-thread'))
          : new FixedClusterPool<Order, Receipt>(1, file('poolifier-cluster', 'cjs'));
      return { subject: order => workers.execute(order), stop: () => workers.destroy() };
    },
  };
}

function jestWorker(name: string, enableWorkerThreads: boolean): Contender<Call> {
  return {
    name,
    start: async () => {
      const workers = new JestWorker(file('jest-worker'), { numWorkers: 1, enableWorkerThreads, exposedMethods: ['work'] });
      const { work } = workers as unknown as { work: Call };
      return { subject: order => work(order), stop: () => workers.end() };
    },
  };
}

/** With its defaults: what the fixed load is measured by. */
export const piscina = piscinaWith('piscina', {});

/** Pools of one worker each, with their default options unless the name says otherwise. */
export const pools: readonly Contender<Call>[] = [
  piscina,
  piscinaWith('piscina 64 concurrent', { concurrentTasksPerWorker: 64 }),
  tinypool('tinypool thread', 'worker_threads'),
  tinypool('tinypool process', 'child_process'),
  pool('workerpool thread', 'thread'),
  pool('workerpool process', 'process'),
  poolifier('poolifier thread', 'thread'),
  poolifier('poolifier process', 'cluster'),
  jestWorker('jest-worker thread', true),
  jestWorker('jest-worker process', false),
];
