import { Task, Worker } from 'packet-ts';
import { z } from 'zod';

/** Calls of all kinds, one at a time; some kill their process. */
@Worker('chaos_calc', {
  minWorkers: 2,
  maxWorkers: 2,
  timeout: '2s',
  maxTasksPerWorker: 5_000,
  restart: { maxFailedStarts: 1e6, delay: '10ms' },
})
export class CalcWorker {
  @Task({ input: z.number(), output: z.number() })
  next(n: number): number {
    return n + 1;
  }

  @Task({ input: z.number(), output: z.number() })
  spin(milliseconds: number): number {
    const until = performance.now() + milliseconds;
    while (performance.now() < until);
    return milliseconds;
  }

  @Task({ input: z.number(), output: z.number() })
  crash(code: number): number {
    process.exit(code);
  }

  @Task({ input: z.number(), yields: z.number() })
  async *count(to: number): AsyncGenerator<number> {
    for (let i = 0; i < to; i++) yield i;
  }
}

/** Calls that wait, several at a time. */
@Worker('chaos_wait', { minWorkers: 1, maxWorkers: 2, concurrency: 8, timeout: '5s', restart: { maxFailedStarts: 1e6, delay: '10ms' } })
export class WaitWorker {
  @Task({ input: z.number(), output: z.number() })
  async wait(milliseconds: number): Promise<number> {
    await new Promise(resolve => setTimeout(resolve, milliseconds));
    return milliseconds;
  }
}
