/** Every decorator is also a plain function, with the same checks. */
import { z } from 'zod';
import type { WorkerClient } from '../../src/decorators/worker/client-types.js';
import { OnData } from '../../src/decorators/connection/connection-hooks.js';
import { Connection } from '../../src/decorators/connection/connection.js';
import { InjectOptions, InjectWorker } from '../../src/decorators/injection/inject.js';
import { Every } from '../../src/decorators/lifecycle.js';
import { Module } from '../../src/decorators/module.js';
import { Task } from '../../src/decorators/worker/task.js';
import { Worker } from '../../src/decorators/worker/worker.js';
import { lines } from '../../src/framing/index.js';
import { Good } from './workers.js';

class Plain {
  private readonly n = 1;
  evaluate(s: string): string {
    return s + this.n;
  }
  handle(_: string) {}
}
const evaluate = Object.getOwnPropertyDescriptor(Plain.prototype, 'evaluate')!;
const handle = Object.getOwnPropertyDescriptor(Plain.prototype, 'handle')!;
Worker('plain')(Plain);
Task({ input: z.string(), output: z.string() })(Plain.prototype, 'evaluate', evaluate);
OnData(z.string())(Plain.prototype, 'handle', handle);
Every('1s')(Plain.prototype, 'handle', handle);
Connection({ framing: lines() })(class {});
Module({ workers: [Plain] })(class {});
// @ts-expect-error the name is missing
Worker()(Plain);
// @ts-expect-error no such method
Task()(Plain.prototype, 'evaluated', evaluate);

class Injected {
  constructor(
    readonly a: number,
    readonly w: WorkerClient<Good>,
  ) {}
}
InjectWorker(Good)(Injected, undefined, 1);
InjectWorker('good')(Injected, undefined, 1);
InjectOptions()(Injected, undefined, 0);
// @ts-expect-error parameter 0 is no client
InjectWorker(Good)(Injected, undefined, 0);
