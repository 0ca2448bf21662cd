import { Task, Worker } from 'packet-ts';
import { z } from 'zod';

@Worker('bench_start', { timeout: 0 })
export class StartWorker {
  @Task({ input: z.object({ id: z.number(), name: z.string() }), output: z.string() })
  label({ id, name }: { id: number; name: string }): string {
    return `${id} ${name}`;
  }
}
