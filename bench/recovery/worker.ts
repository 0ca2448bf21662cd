import { z } from 'zod';
import { Task, Worker, type TaskContext } from '../../src/index.js';

/** Says which process it is. */
class Mortal {
  @Task({ output: z.number() })
  pid(): number {
    return process.pid;
  }

  /** Says who it is, and never ends. */
  @Task({ events: { began: z.number() } })
  async hold(_nothing: undefined, { emit }: TaskContext<{ began: number }>): Promise<void> {
    await emit('began', process.pid);
    await new Promise(() => {});
  }
}

@Worker('bench_mortal', { timeout: 0 })
export class MortalWorker extends Mortal {}

/** One more process than are busy. */
@Worker('bench_spared', { timeout: 0, maxWorkers: 2, spare: 1 })
export class SparedWorker extends Mortal {}

/** Started under a key of its own each time. */
@Worker('bench_started', { timeout: 0, autoLoad: false })
export class StartedWorker extends Mortal {}
