import { createHash } from 'node:crypto';
import { Task, Worker, type TaskContext } from 'packet-ts';
import { z } from 'zod';

const events = { progress: z.number().min(0).max(100) };

/** Work that takes its time, in processes of its own: a crash fails one job, and the process is replaced. */
@Worker('reports', { minWorkers: 1, maxWorkers: 'cores', timeout: '1m', maxMemory: '512mb' })
export class Reports {
  @Task({ input: z.object({ text: z.string().max(100_000), rounds: z.number().int().min(1).max(5_000_000) }), output: z.string(), events })
  async digest({ text, rounds }: { text: string; rounds: number }, { emit, signal }: TaskContext<{ progress: number }>): Promise<string> {
    let sum = Buffer.from(text);
    for (let done = 0; done < rounds; done++) {
      sum = createHash('sha256').update(sum).digest();
      if (done % Math.ceil(rounds / 10) === 0) {
        signal.throwIfAborted();
        await emit('progress', Math.round((100 * done) / rounds));
      }
    }
    return sum.toString('hex');
  }
}
