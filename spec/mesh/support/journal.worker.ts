import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { z } from 'zod';
import { bytes, InjectWorker, Module, Task, Worker, type TaskContext, type WorkerClient } from '../../../src/index.js';

const Job = z.object({ id: z.string(), ms: z.number().default(0) });

/** Writes down what it begins and ends, in the file that the environment names: what happened on a host that is gone is still known. */
@Worker('mesh_journal', { maxWorkers: 2, concurrency: 16, timeout: '30s', waitForHost: '30s' })
export class JournalWorker {
  @Task({ input: Job, output: z.string() })
  async run({ id, ms }: z.output<typeof Job>): Promise<string> {
    await this.work(id, ms);
    return id;
  }

  @Task({ input: Job, output: z.string(), idempotent: true, retries: 5 })
  async again({ id, ms }: z.output<typeof Job>): Promise<string> {
    await this.work(id, ms);
    return id;
  }

  @Task({ input: z.string(), output: z.string() })
  async hold(id: string, { signal }: TaskContext): Promise<string> {
    this.note('begin', id);
    await once(signal, 'abort');
    this.note('aborted', id);
    return id;
  }

  @Task({ input: z.number(), yields: bytes() })
  async *bytes(megabytes: number): AsyncGenerator<Uint8Array> {
    const chunk = new Uint8Array(64 * 1024);
    for (let i = 0; i < megabytes * 16; i++) yield chunk;
  }

  @Task({ receives: bytes(), output: z.number(), timeout: '10m' })
  async weigh(_: undefined, context: TaskContext<Record<never, never>, Uint8Array>): Promise<number> {
    let sum = 0;
    for await (const chunk of context.incoming) sum += chunk.length;
    return sum;
  }

  protected async work(id: string, ms: number): Promise<void> {
    this.note('begin', id);
    if (ms > 0) await once(AbortSignal.timeout(ms), 'abort');
    this.note('end', id);
  }

  protected note(what: string, id: string): void {
    appendFileSync(process.env['MESH_JOURNAL']!, `${what} ${id}\n`);
  }
}

export class JournalCaller {
  constructor(@InjectWorker(JournalWorker) readonly journal: WorkerClient<JournalWorker>) {}
}

@Module({ workers: [JournalWorker], providers: [JournalCaller] })
export class JournalModule {}
