/** Two workers that call each other, put together by hand: what a module of an application would declare. */
import { appendFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import type { WorkerBlueprint, WorkerSettings } from '../../../src/blueprint/types.js';
import { toValidator, type Validator } from '../../../src/schema.js';
import type { LoadedWorker, Master } from '../../../src/tasks/index.js';
import type { BootMessage } from '../../../src/wire/link/protocol.js';
import { loaded, taskOf, workerOf, workerSettings } from './worker-fixture.js';

interface Context {
  readonly signal: AbortSignal;
  readonly incoming: AsyncIterable<number>;
  readonly caller: unknown;
  emit(name: string, payload: unknown): Promise<void>;
}

export interface Alpha {
  add(pair: readonly [number, number], options?: object): Promise<number>;
  fail(how: string, options?: object): Promise<never>;
  wrong(): Promise<number>;
  count(to: number, options?: object): AsyncIterable<number>;
  sum(input: undefined, options: object): Promise<number>;
  work(steps: number, options?: object): Promise<string>;
  wait(input?: undefined, options?: object): Promise<string>;
  caller(): Promise<unknown>;
  journal(entry: { file: string; id: number }, options?: object): Promise<number>;
  spin(): Promise<void>;
  ask(data: unknown): Promise<unknown>;
}

class AlphaWorker {
  readonly #master: Master;
  constructor(master: Master) {
    this.#master = master;
  }
  add([a, b]: readonly [number, number]): number {
    return a + b;
  }
  fail(how: string): never {
    throw Object.assign(new RangeError(how, { cause: new TypeError('deeper') }), { code: 'E_HOW' });
  }
  wrong(): unknown {
    return 'not a number';
  }
  async *count(to: number): AsyncGenerator<number> {
    for (let i = 1; i <= to; i++) yield i;
  }
  async sum(_input: undefined, { incoming }: Context): Promise<number> {
    let total = 0;
    for await (const each of incoming) total += each;
    return total;
  }
  async work(steps: number, { emit }: Context): Promise<string> {
    for (let i = 0; i < steps; i++) await emit('step', i);
    return 'done';
  }
  wait(_input: undefined, { signal }: Context): Promise<string> {
    return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
  }
  caller(_input: undefined, { caller }: Context): unknown {
    return caller;
  }
  /** Writes down that it has begun, before anything else. */
  journal({ file, id }: { file: string; id: number }): number {
    appendFileSync(file, `${id}\n`);
    return id;
  }
  spin(): never {
    for (;;);
  }
  async post(message: unknown): Promise<string> {
    await this.#master.send({ heard: message });
    await setImmediate();
    return `posted ${String(message)}`;
  }
}

export interface Beta {
  twice(input: number): Promise<number>;
  countTwice(to: number): AsyncIterable<number>;
}

class BetaWorker {
  readonly #alpha: Alpha;
  constructor(alpha: Alpha) {
    this.#alpha = alpha;
  }
  twice(input: number): Promise<number> {
    return this.#alpha.add([input, input]);
  }
  async *countTwice(to: number): AsyncGenerator<number> {
    for await (const each of this.#alpha.count(to)) yield each * 2;
  }
}

const is = (schema: z.ZodType): Validator => toValidator(schema);
const number = is(z.number());

export function twoWorkers(settings: Partial<WorkerSettings> = {}): readonly [WorkerBlueprint, WorkerBlueprint] {
  const more = { settings: { ...workerSettings, ...settings } };
  const alpha = workerOf(
    AlphaWorker,
    [
      taskOf('add', { input: is(z.tuple([z.number(), z.number()])), output: number }),
      taskOf('fail', { input: is(z.string()), output: undefined }),
      taskOf('wrong', { input: undefined, output: number }),
      taskOf('count', { input: number, output: undefined, yields: number }),
      taskOf('sum', { input: undefined, output: number, receives: number }),
      taskOf('work', { input: number, events: new Map([['step', number]]) }),
      taskOf('wait', { input: undefined }),
      taskOf('caller', { input: undefined }),
      taskOf('journal'),
      taskOf('spin', { input: undefined, timeout: 300 }),
    ],
    { ...more, name: 'alpha', mailbox: [{ key: 'post' }] },
  );
  const beta = workerOf(
    BetaWorker,
    [taskOf('twice', { input: number, output: number }), taskOf('countTwice', { input: number, output: undefined, yields: number })],
    {
      ...more,
      name: 'beta',
    },
  );
  return [alpha, beta];
}

/** What the worker's process, or the inline host, makes of BOOT. */
export function loadOneOfTwo({ name }: BootMessage): Promise<LoadedWorker> {
  const [alpha, beta] = twoWorkers();
  return Promise.resolve(
    name === 'alpha'
      ? loaded(alpha, ({ master }) => new AlphaWorker(master))
      : loaded(beta, ({ client }) => new BetaWorker(client('alpha', undefined) as unknown as Alpha)),
  );
}
