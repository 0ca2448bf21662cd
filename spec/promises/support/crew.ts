/** A worker class that does all that a worker may do to its master, and nothing else. */
import { appendFileSync } from 'node:fs';
import process from 'node:process';
import type { TaskBlueprint, WorkerBlueprint, WorkerSettings } from '../../../src/blueprint/types.js';
import type { TaskContext } from '../../../src/decorators/worker/task-types.js';
import { taskOf, workerOf, workerSettings } from '../../kit/workers/worker-fixture.js';
import { z } from 'zod';
import { toValidator } from '../../../src/schema.js';

/** Everything that was ever kept on purpose. */
const hoard: unknown[] = [];

function busy(milliseconds: number): void {
  for (const end = performance.now() + milliseconds; performance.now() < end;);
}

export class Crew {
  echo(input: unknown): unknown {
    return input;
  }
  pid(): number {
    return process.pid;
  }
  /** Leaves a line in a file, then works for a while. */
  journal({ file, line, work }: { file: string; line: string; work: number }): string {
    appendFileSync(file, `${line}\n`);
    busy(work);
    return line;
  }
  /** Never ends. Says in a file which process it keeps. */
  loop(file: string): void {
    appendFileSync(file, `${process.pid}\n`);
    process.on('SIGTERM', () => {});
    for (;;);
  }
  exit(code: number): void {
    process.exit(code);
  }
  exitLater(code: number): string {
    setImmediate(() => process.exit(code));
    return 'answered';
  }
  throwLater(): string {
    setImmediate(() => {
      throw new Error('a stray throw');
    });
    return 'answered';
  }
  rejectLater(): string {
    void Promise.reject(new Error('a stray rejection'));
    return 'answered';
  }
  abort(): void {
    process.abort();
  }
  heap(): void {
    for (;;) hoard.push(Array.from({ length: 10_000 }, (_, i) => ({ i })));
  }
  buffers(): void {
    for (;;) {
      hoard.push(Buffer.alloc(8 * 1024 * 1024, 1));
      busy(5);
    }
  }
  shout(text: string): void {
    process.stdout.write(`${text}\n`);
    process.stderr.write(`${text}\n`);
    process.exit(3);
  }
  /** Waits until it is told to stop, and obeys. */
  obey(_input: unknown, { signal }: TaskContext): Promise<string> {
    return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('told to stop'))));
  }
  async *count(to: number): AsyncGenerator<number> {
    for (let i = 1; i <= to; i++) yield i;
  }
  async sum(_input: unknown, { incoming }: TaskContext<object, number>): Promise<number> {
    let all = 0;
    for await (const each of incoming) all += each;
    return all;
  }
}

const number = toValidator(z.number());
const tasks: readonly TaskBlueprint[] = [
  ...['echo', 'pid', 'journal', 'loop', 'exit', 'exitLater', 'throwLater', 'rejectLater', 'abort', 'heap', 'buffers', 'shout', 'obey'].map(
    name => taskOf(name),
  ),
  taskOf('count', { output: undefined, yields: number }),
  taskOf('sum', { receives: number }),
];

export function crew(settings: Partial<WorkerSettings> = {}): WorkerBlueprint {
  const source = { url: 'file:///crew.js', sure: true };
  return workerOf(Crew, tasks, { name: 'crew', source, settings: { ...workerSettings, ...settings } });
}
