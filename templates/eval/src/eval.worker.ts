import { inspect } from 'node:util';
import { runInNewContext } from 'node:vm';
import { Task, Worker } from 'packet-ts';
import { z } from 'zod';

/** Evaluates what clients send, in a process of its own: it may crash, loop or eat its memory without anybody else noticing. */
@Worker('eval_worker', {
  maxWorkers: 2,
  spare: 1,
  timeout: '1s',
  env: {},
  resourceLimits: { maxOldGenerationSizeMb: 64 },
  maxMemory: '256mb',
})
export class EvalWorker {
  @Task({ input: z.string().max(1_000_000), output: z.string() })
  evaluate(source: string): string {
    const value: unknown = runInNewContext(source);
    return inspect(value, { breakLength: Infinity, compact: true, maxStringLength: Infinity }).replaceAll('\n', '\\n');
  }
}
