/**
 * Starts workers of the package as it is published, and prints the MB that one of them has of its own when it is idle.
 * Arguments: the runtime, and how many. A thread's memory is what the master's grew by, after the first thread.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { bootstrap, Module, Worker, Workers } from 'packet-ts';
import { StartWorker } from '../start/worker.js';
import { ownMemory } from './own.js';

const [runtime = 'process', count = '4'] = process.argv.slice(2);

@Worker('bench_memory', {
  autoLoad: false,
  runtime: runtime as 'process' | 'thread',
  execArgv: (process.env['BENCH_WORKER_FLAGS'] ?? '').split(' ').filter(flag => flag !== ''),
})
class IdleWorker extends StartWorker {}

@Module({ workers: [IdleWorker] })
class MemoryModule {}

/** Milliseconds until a process has given back what it does not need. */
const SETTLE = 2_000;

const app = await bootstrap(MemoryModule, { logger: false });
const workers = app.get(Workers);
await workers.start(IdleWorker, { key: '0' });
await pause(SETTLE);
const before = ownMemory(process.pid);
const more = Number(count) - 1;
for (let i = 1; i <= more; i++) await workers.start(IdleWorker, { key: String(i) });
await pause(SETTLE);
const { pid } = workers.status().at(-1)!;
console.log(runtime === 'thread' ? (ownMemory(process.pid) - before) / more : ownMemory(pid!));
await app.close();
