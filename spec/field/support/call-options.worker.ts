import { z } from 'zod';
import { InjectWorker, OnData, Task, Worker, type TaskContext, type WorkerClient } from 'packet-ts';

@Worker('called', { timeout: '20s' })
export class Called {
  @Task({ input: z.number(), output: z.number(), events: { progress: z.number() } })
  count(to: number): number {
    return to;
  }

  @Task({ input: z.number(), yields: z.number() })
  async *each(to: number): AsyncGenerator<number> {
    for (let i = 1; i <= to; i++) yield i;
  }

  @Task({ input: z.string(), output: z.array(z.string()), receives: z.string() })
  async collect(_: string, { incoming }: TaskContext<object, string>): Promise<string[]> {
    const all: string[] = [];
    for await (const item of incoming) all.push(item);
    return all;
  }

  @OnData() mail(message: unknown): unknown {
    return message;
  }
}

/** Makes the same calls from inside a worker; a function cannot be passed, so the options are made here. */
@Worker('calls_others', { timeout: '20s' })
export class CallsOthers {
  constructor(@InjectWorker(Called) private readonly called: WorkerClient<Called>) {}

  @Task({ input: z.object({ method: z.string(), input: z.unknown(), option: z.string() }), output: z.unknown() })
  async call({ method, input, option }: { method: string; input?: unknown; option: string }): Promise<unknown> {
    const wrong: Record<string, object> = {
      controller: { signal: new AbortController() },
      text: { send: 'abc' },
      typo: { on: { progres: () => {} } },
      unknown: { timeOut: 5 },
    };
    const result = (this.called as unknown as Record<string, (input: unknown, options: unknown) => unknown>)[method]!(input, wrong[option]);
    if (!(result instanceof Promise)) for await (const item of result as AsyncIterable<unknown>) return item;
    return result;
  }
}
