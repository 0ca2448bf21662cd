/** What spec/field/first-day/editor-that-finds-nothing.spec.ts asks the language service about. */
import { z } from 'zod';
import { Task, Worker, type Instance, type ProxiedWorker, type ProxyCall, type WorkerClient } from 'packet-ts';

@Worker('looker')
export class Looker {
  /** Looks a word up. */
  @Task({ input: z.string(), output: z.string() })
  look(word: string): string {
    return word;
  }
}

declare const client: WorkerClient<Looker>;
declare const proxied: ProxiedWorker<Looker>;
declare const instance: Instance<Looker>;
declare const call: ProxyCall;

export const answers = (): unknown[] => [
  client.look('client'),
  proxied.look('proxied', call),
  instance.worker.look('instance.worker', call),
  instance.own.look('instance.own'),
];
