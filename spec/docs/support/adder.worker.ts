import { OnStart, Task, type TaskContext, Worker } from 'packet-ts';
import { z } from 'zod';

const Pair = z.object({ a: z.number(), b: z.number() });
type Pair = z.infer<typeof Pair>;

@Worker('adder', { minWorkers: 1, timeout: '10s', resourceLimits: { maxOldGenerationSizeMb: 64 }, idleTimeout: '30s' })
export class Adder {
  #offset = -1;
  @OnStart() protected load() {
    this.#offset = 0;
  }
  @Task({ input: Pair, output: z.number() })
  add({ a, b }: Pair): number {
    return a + b + this.#offset;
  }
  @Task({ input: Pair, output: z.number() })
  multiply({ a, b }: Pair): number {
    return a * b;
  }
  @Task({ input: z.instanceof(ArrayBuffer), output: z.number() })
  size(memory: ArrayBuffer): number {
    return memory.byteLength;
  }
  @Task({ input: z.number(), yields: z.number(), events: { step: z.number() } })
  async *upTo(to: number, context: TaskContext<{ step: number }>): AsyncIterable<number> {
    for (let n = 1; n <= to; n++) {
      await context.emit('step', n);
      yield n;
    }
  }
  @Task({ receives: z.number(), output: z.number() })
  async total(_: undefined, { incoming }: TaskContext<object, number>): Promise<number> {
    let total = 0;
    for await (const n of incoming) total += n;
    return total;
  }
  @Task() endless(): void {
    for (;;);
  }
  @Task() leave(): void {
    process.exit(3);
  }
}
