import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { InjectWorker, Master, Task, Worker, type TaskContext, type WorkerClient } from 'packet-ts';

/** Holds the event loop until the test has written the file; ends by itself, so that a failing test ends, too. */
function holdLoopUntil(met: () => boolean): boolean {
  const until = performance.now() + 5_000;
  while (!met()) if (performance.now() > until) return false;
  return true;
}

const written = (file: string) => (): boolean => existsSync(file);

/** Writes a file that others wait for. */
@Worker('scribe', { timeout: '20s' })
export class Scribe {
  @Task({ input: z.string() })
  async write(file: string): Promise<void> {
    const { writeFile } = await import('node:fs/promises');
    await writeFile(file, '');
  }
}

/** Tasks that await nothing: each answers whether what it said was heard while it still held the event loop. */
@Worker('busy', { timeout: '20s' })
export class Busy {
  constructor(
    private readonly master: Master,
    @InjectWorker(Scribe) private readonly scribe: WorkerClient<Scribe>,
  ) {}

  /** Each event must be heard before the next one is emitted; the test writes the number of the last one it heard. */
  @Task({ input: z.object({ count: z.number(), file: z.string() }), output: z.boolean(), events: { progress: z.number() } })
  render({ count, file }: { count: number; file: string }, { emit }: TaskContext<{ progress: number }>): boolean {
    for (let i = 1; i <= count; i++) {
      void emit('progress', i);
      if (!holdLoopUntil(() => existsSync(file) && readFileSync(file, 'utf8') === `${i}.`)) return false;
    }
    return true;
  }

  @Task({ input: z.number(), output: z.string(), events: { progress: z.number() } })
  burst(count: number, { emit }: TaskContext<{ progress: number }>): string {
    for (let i = 1; i <= count; i++) void emit('progress', i);
    return 'done';
  }

  @Task({ input: z.string(), yields: z.union([z.string(), z.boolean()]) })
  async *parts(file: string): AsyncGenerator<string | boolean> {
    yield 'first';
    yield holdLoopUntil(written(file));
  }

  @Task({ input: z.string(), output: z.boolean() })
  report(file: string, { status }: TaskContext): boolean {
    status('loading');
    status('computing');
    return holdLoopUntil(written(file));
  }

  @Task({ input: z.string(), output: z.boolean() })
  say(file: string): boolean {
    void this.master.send('computing');
    return holdLoopUntil(written(file));
  }

  @Task({ input: z.string(), output: z.boolean() })
  delegate(file: string): boolean {
    void this.scribe.write(file);
    return holdLoopUntil(written(file));
  }

  /** Emits until it sees that its caller has given up. */
  @Task({ output: z.boolean(), events: { progress: z.number() } })
  endless(_: undefined, { emit, signal }: TaskContext<{ progress: number }>): boolean {
    let i = 0;
    return holdLoopUntil(() => {
      void emit('progress', ++i);
      return signal.aborted;
    });
  }
}
