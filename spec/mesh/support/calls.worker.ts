import { once } from 'node:events';
import { z } from 'zod';
import {
  InjectWorker,
  Master,
  OnData,
  Task,
  Worker,
  WorkerProxy,
  Proxy,
  Transferable,
  type TaskContext,
  type WorkerClient,
} from '../../../src/index.js';

/** An error with properties of its own. */
@Transferable('mesh_spec_refused')
export class Refused extends Error {
  constructor(
    message: string,
    readonly reason: string,
  ) {
    super(message);
  }
}

/** Stays with the caller. */
@Worker('mesh_helper', { proxy: () => HelperProxy, timeout: '5s' })
export class HelperWorker {
  @Task({ input: z.number(), output: z.number() })
  double(value: number): number {
    return value * 2;
  }

  @Task({ output: z.number() })
  pid(): number {
    return process.pid;
  }

  @Task({ input: z.number(), yields: z.number() })
  async *count(to: number): AsyncGenerator<number> {
    for (let i = 0; i < to; i++) yield i;
  }

  @Task({ output: z.string() })
  async wait(_: undefined, context: TaskContext): Promise<string> {
    await new Promise(resolve => context.signal.addEventListener('abort', resolve));
    return 'aborted';
  }
}

@Proxy()
export class HelperProxy extends WorkerProxy<HelperWorker> {
  static asked = 0;
  double(value: number, call: Parameters<HelperProxy['worker']['double']>[1]): Promise<number> | number {
    HelperProxy.asked++;
    return value === 1000 ? 1 : this.worker.double(value, call);
  }
}

@Worker('mesh_calls', { maxWorkers: 2, timeout: '5s', cancelGrace: '300ms', waitForHost: '1s' })
export class CallsWorker {
  static readonly aborted: string[] = [];

  constructor(
    @InjectWorker(HelperWorker) protected readonly helper: WorkerClient<HelperWorker>,
    protected readonly master: Master,
  ) {}

  @Task({ input: z.unknown(), output: z.unknown() })
  echo(value: unknown): unknown {
    return value;
  }

  @Task({ output: z.number() })
  pid(): number {
    return process.pid;
  }

  @Task({ input: z.string() })
  refuse(reason: string): void {
    throw new Refused('no', reason);
  }

  @Task({ input: z.number(), output: z.string() })
  wrong(value: number): string {
    return value as never;
  }

  @Task({ input: z.number(), output: z.number() })
  async slow(milliseconds: number): Promise<number> {
    // A task that takes time: its process has nothing else to wait with.
    await once(AbortSignal.timeout(milliseconds), 'abort');
    return milliseconds;
  }

  @Task()
  spin(): void {
    for (;;);
  }

  @Task({ input: z.unknown() })
  hang(_value: unknown): void {
    for (;;);
  }

  @Task()
  crash(): void {
    process.kill(process.pid, 'SIGKILL');
  }

  @Task({ output: z.number(), idempotent: true })
  crashOnce(_: undefined, context: TaskContext): number {
    if (context.attempt === 1) process.kill(process.pid, 'SIGKILL');
    return context.attempt;
  }

  @Task({ input: z.number(), yields: z.number() })
  async *count(to: number): AsyncGenerator<number> {
    for (let i = 0; i < to; i++) yield i;
  }

  @Task({ yields: z.number() })
  async *endless(_: undefined, context: TaskContext): AsyncGenerator<number> {
    try {
      for (let i = 0; ; i++) yield i;
    } finally {
      context.status('left');
    }
  }

  @Task({ input: z.number(), yields: z.number() })
  async *breaks(after: number): AsyncGenerator<number> {
    for (let i = 0; i < after; i++) yield i;
    throw new Refused('broken', 'after');
  }

  @Task({ receives: z.number(), output: z.number() })
  async sum(_: undefined, context: TaskContext<Record<never, never>, number>): Promise<number> {
    let sum = 0;
    for await (const item of context.incoming) sum += item;
    return sum;
  }

  @Task({ input: z.number(), output: z.string(), events: { progress: z.number() } })
  async tick(times: number, context: TaskContext<{ progress: number }>): Promise<string> {
    for (let i = 0; i < times; i++) await context.emit('progress', i);
    return 'done';
  }

  @Task({ output: z.string() })
  async untilAborted(_: undefined, context: TaskContext): Promise<string> {
    await new Promise(resolve => context.signal.addEventListener('abort', resolve));
    this.master.status('aborted');
    return 'aborted';
  }

  @Task({ output: z.object({ caller: z.unknown(), attempt: z.number(), left: z.number().optional() }) })
  about(_: undefined, { caller, attempt, deadline }: TaskContext): { caller: unknown; attempt: number; left?: number | undefined } {
    return { caller, attempt, left: deadline === undefined ? undefined : deadline - Date.now() };
  }

  @Task({ input: z.number(), output: z.number() })
  nested(value: number): Promise<number> {
    return this.helper.double(value);
  }

  @Task({ input: z.number(), output: z.array(z.number()) })
  async nestedStream(to: number): Promise<number[]> {
    const items: number[] = [];
    for await (const item of this.helper.count(to)) items.push(item);
    return items;
  }

  @Task({ output: z.string() })
  nestedWait(): Promise<string> {
    return this.helper.wait();
  }

  @Task({ input: z.string() })
  send(message: string): Promise<void> {
    return this.master.send(message);
  }

  @OnData()
  protected heard(data: unknown): unknown {
    return { heard: data };
  }
}
