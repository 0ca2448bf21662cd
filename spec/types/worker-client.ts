/** What `WorkerClient<W>` is, exactly, and which calls of it do not compile. Each @ts-expect-error is a promise; tsc keeps them. */
import {
  bytes,
  InjectWorker,
  OnWorkerEvent,
  Proxy,
  spawn,
  Task,
  Worker,
  WorkerProxy,
  type EventsOf,
  type Options,
  type ProxyCall,
  type TaskContext,
  type WorkerClient,
  type Workers,
} from 'packet-ts';
import { InjectOptions } from 'packet-ts';
import { z } from 'zod';

/** True only where both types are the same, not where one fits the other. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<_T extends true>(): void {}

const Query = z.object({ text: z.string(), limit: z.number().optional() });
type Query = z.infer<typeof Query>;

@Worker('typed')
class Typed {
  readonly field = 1;
  @Task({ input: Query, output: z.array(z.string()) }) search(query: Query): string[] {
    return [query.text];
  }
  @Task({ output: z.number() }) async count(): Promise<number> {
    return this.field;
  }
  @Task() nothing(): void {}
  @Task({ input: z.string().optional(), output: z.string() }) maybe(text?: string): string {
    return text ?? '';
  }
  @Task({ input: z.union([z.string(), z.number()]), output: z.union([z.string(), z.null()]) }) either(
    value: string | number,
  ): string | null {
    return String(value);
  }
  @Task({ input: z.number(), yields: z.date(), events: { step: z.number(), note: z.string() } })
  async *days(to: number, { emit }: TaskContext<{ step: number; note: string }>): AsyncGenerator<Date> {
    await emit('step', to);
    yield new Date(to);
  }
  @Task({ receives: bytes(), output: z.number() }) async take(_: undefined, { incoming }: TaskContext<{}, Uint8Array>): Promise<number> {
    let all = 0;
    for await (const chunk of incoming) all += chunk.length;
    return all;
  }
  @Task({ input: z.string(), receives: z.number(), yields: z.number(), events: { half: z.boolean() } })
  async *through(_name: string, { incoming }: TaskContext<{ half: boolean }, number>): AsyncGenerator<number> {
    yield* incoming;
  }
  protected hidden(): void {}
  hide(): void {
    this.hidden();
  }
}

@Worker('started', { autoLoad: false, startOptions: z.object({ quality: z.number() }) })
class Started {
  constructor(@InjectOptions() readonly options: Options<{ quality: number }>) {}
  @Task({ output: z.number() }) quality(): number {
    return this.options.quality;
  }
}

const tenantOptions = z.object({
  quality: z.number().default(3),
  since: z.string().transform(text => new Date(text)),
});
/** Its options are given as its schema takes them, and injected as the schema leaves them. */
@Worker('parsed', { autoLoad: false, startOptions: tenantOptions })
class Tenant {
  constructor(@InjectOptions() readonly options: Options<typeof tenantOptions>) {}
  @Task({ output: z.number() }) quality(): number {
    same<Same<Tenant['options']['quality'], number>>();
    same<Same<Tenant['options']['since'], Date>>();
    return this.options.quality;
  }
}

/** Types that stand for themselves may be two, too. */
@Worker('named', { autoLoad: false, startOptions: tenantOptions })
class Named {
  constructor(@InjectOptions() readonly options: Options<z.output<typeof tenantOptions>, z.input<typeof tenantOptions>>) {}
  protected since(): number {
    return this.options.since.getTime() + this.options.quality;
  }
}

/** All of its options have a default, and they themselves, too. */
@Worker('easy', { startOptions: z.object({ quality: z.number().default(3) }).default({ quality: 3 }) })
class Easy {
  constructor(@InjectOptions() readonly options: Options<{ quality: number }, { quality?: number } | undefined>) {}
}

export async function startOptions(workers: Workers): Promise<void> {
  for (const cls of [Tenant, Named]) {
    await workers.start(cls, { options: { since: '2026-01-01' } });
    await workers.start(cls, { key: 'gold', options: { since: '2026-01-01', quality: 5 } });
    // @ts-expect-error what it takes is not what the worker gets
    await workers.start(cls, { options: { since: new Date() } });
    // @ts-expect-error there is no default of it
    await workers.start(cls, { options: { quality: 5 } });
    // @ts-expect-error nor of all
    await workers.start(cls);
    await (await spawn(cls, { options: { since: '2026-01-01' } })).close();
  }
  await workers.start(Easy);
  await workers.start(Easy, { key: 'gold' });
  await workers.start(Easy, { options: {} });
  // @ts-expect-error another type
  await workers.start(Easy, { options: { quality: 'high' } });
  await (await spawn(Easy)).close();
}

export async function exact(client: WorkerClient<Typed>): Promise<void> {
  // Outputs and streams.
  same<Same<ReturnType<typeof client.search>, Promise<string[]>>>();
  same<Same<ReturnType<typeof client.count>, Promise<number>>>();
  same<Same<ReturnType<typeof client.nothing>, Promise<void>>>();
  same<Same<ReturnType<typeof client.either>, Promise<string | null>>>();
  same<Same<ReturnType<typeof client.days>, AsyncIterable<Date>>>();
  same<Same<ReturnType<typeof client.through>, AsyncIterable<number>>>();
  same<Same<ReturnType<typeof client.ask>, Promise<unknown>>>();
  same<Same<ReturnType<typeof client.tell>, void>>();
  // Inputs.
  same<Same<Parameters<typeof client.search>[0], Query>>();
  same<Same<Parameters<typeof client.either>[0], string | number>>();
  same<Same<Parameters<typeof client.days>[0], number>>();
  // Tasks and the mailbox, nothing else.
  same<
    Same<
      keyof WorkerClient<Typed>,
      'search' | 'count' | 'nothing' | 'maybe' | 'either' | 'days' | 'take' | 'through' | 'hide' | 'ask' | 'tell'
    >
  >();
  // Events, by name.
  same<Same<EventsOf<Typed>, { step: number; note: string; half: boolean }>>();

  await client.search({ text: 'a' });
  await client.search(
    { text: 'a', limit: 1 },
    { timeout: '1s', signal: AbortSignal.timeout(1), key: 'k', affinity: 'a', caller: 'c', tag: {} },
  );
  await client.count();
  await client.count(undefined, { key: 'gold' });
  await client.maybe();
  await client.maybe('text');
  await client.take(undefined, { send: [Buffer.alloc(1)] });
  for await (const day of client.days(3, { on: { step: n => n.toFixed(), note: async text => text.trim() } })) day.getTime();
  for await (const item of client.through('x', {
    send: (async function* () {
      yield 1;
    })(),
    on: { half: yes => !yes },
  }))
    item.toFixed();
  client.tell({ any: 'thing' }, { key: 'gold' });

  // @ts-expect-error no input
  await client.search();
  // @ts-expect-error another input
  await client.search('text');
  // @ts-expect-error a part of the input is of another type
  await client.search({ text: 1 });
  // @ts-expect-error more than the input
  await client.search({ text: 'a', other: 1 });
  // @ts-expect-error it takes nothing
  await client.count(1);
  // @ts-expect-error not a duration
  await client.count(undefined, { timeout: 'soon' });
  // @ts-expect-error no such option
  await client.count(undefined, { retries: 3 });
  // @ts-expect-error it has no events
  await client.count(undefined, { on: {} as { any: () => void } });
  // @ts-expect-error it does not receive
  await client.count(undefined, { send: [1] });
  // @ts-expect-error it receives: nothing is sent
  await client.take();
  // @ts-expect-error it receives bytes
  await client.take(undefined, { send: ['text'] });
  // @ts-expect-error no such event
  client.days(1, { on: { other: () => {} } });
  // @ts-expect-error the event carries a number
  client.days(1, { on: { step: (text: string) => text } });
  // @ts-expect-error a stream is no promise
  await client.days(1).then(String);
  // @ts-expect-error a promise is no stream
  for await (const each of client.search({ text: 'a' })) void each;
  // @ts-expect-error the answer is a list
  (await client.search({ text: 'a' })).toFixed();
  // @ts-expect-error what a mailbox answers is not known
  (await client.ask(1)).toFixed();
  // @ts-expect-error a tell is not awaited
  client.tell(1).then(String);
  // @ts-expect-error protected methods are no tasks
  client.hidden();
  // @ts-expect-error fields are no tasks
  void client.field;
  // @ts-expect-error no such task
  client.missing();
}

export async function spawned(workers: Workers): Promise<void> {
  const own = await spawn(Typed, { maxWorkers: 2 });
  same<Same<ReturnType<typeof own.search>, Promise<string[]>>>();
  await own.close();
  await using other = await spawn(Started, { options: { quality: 1 } });
  same<Same<ReturnType<typeof other.quality>, Promise<number>>>();
  await workers.start(Started, { key: 'gold', options: { quality: 3 } });
  // @ts-expect-error its options are missing
  await spawn(Started);
  // @ts-expect-error its options are of another type
  await spawn(Started, { options: { quality: 'high' } });
  // @ts-expect-error its options are missing
  await workers.start(Started, { key: 'gold' });
  // @ts-expect-error it declares none
  await workers.start(Typed, { options: { quality: 3 } });
  // @ts-expect-error no such option of a pool
  await spawn(Typed, { workersMax: 2 });
}

/** A client of another class does not compile, whatever it is called. */
export class Injected {
  constructor(
    @InjectWorker(Typed) readonly right: WorkerClient<Typed>,
    // @ts-expect-error a client of another class
    @InjectWorker(Started) readonly wrong: WorkerClient<Typed>,
  ) {}
  @OnWorkerEvent(Typed, 'step') stepped(step: number, from: { worker: string; task: string; tag?: unknown }): string {
    return `${from.worker} ${step.toFixed()}`;
  }
  // @ts-expect-error the event carries a number
  @OnWorkerEvent(Typed, 'step') wrongly(step: string): string {
    return step;
  }
  // @ts-expect-error no such event
  @OnWorkerEvent(Typed, 'other') never(): void {}
}

@Worker('types: several')
export class Several {
  @Task({ input: z.number(), output: z.boolean() }) isPrime(n: number): boolean {
    return n > 1;
  }
  @Task({ input: z.string(), output: z.string().nullable() }) find(name: string): string | null {
    return name || null;
  }
  // oxlint-disable-next-line typescript/no-explicit-any -- what users write
  @Task({ output: z.any() }) anything(): any {
    return 1;
  }
}

/** A proxy that answers like its tasks, whose answers are of several types. */
@Proxy()
export class Passing extends WorkerProxy<Several> {
  isPrime(n: number, call: ProxyCall): Promise<boolean> | boolean {
    return n < 4 ? true : this.worker.isPrime(n, call);
  }
  find(name: string, call: ProxyCall): Promise<string | null> {
    return this.worker.find(name, call);
  }
}
@Worker('types: passed', { proxy: Passing })
export class Passed extends Several {}

export function severalAnswers(client: WorkerClient<Several>): void {
  same<Same<ReturnType<typeof client.isPrime>, Promise<boolean>>>();
  same<Same<ReturnType<typeof client.find>, Promise<string | null>>>();
  // oxlint-disable-next-line typescript/no-explicit-any -- the same
  same<Same<ReturnType<typeof client.anything>, Promise<any>>>();
}
