import { Task, Worker } from 'packet-ts';
import { z } from 'zod';
import { FooHandler } from './foo.handler.js';

export const Query = z.object({ word: z.string().min(1) });
export type Query = z.infer<typeof Query>;
export const Answer = z.object({ word: z.string(), length: z.number(), pid: z.number() });
export type Answer = z.infer<typeof Answer>;

/** Not started with the application, but at run time: `workers.start(FooWorker)`. Everybody reaches it through its proxy. */
@Worker('foo_worker', { autoLoad: false, proxy: FooHandler, timeout: '5s' })
export class FooWorker {
  @Task({ input: Query, output: Answer })
  look(query: Query): Answer {
    return { word: query.word, length: query.word.length, pid: process.pid };
  }
}
