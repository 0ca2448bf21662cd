import { Proxy, WorkerProxy, type ProxyCall } from 'packet-ts';
import type { Answer, FooWorker, Query } from './foo.worker.js';

/** Stands in the master in front of every client of FooWorker, and remembers what was asked before. */
@Proxy()
export class FooHandler extends WorkerProxy<FooWorker> {
  readonly #known = new Map<string, Answer>();

  async look(query: Query, call: ProxyCall): Promise<Answer> {
    const known = this.#known.get(query.word);
    if (known) return known;
    const answer = await this.worker.look(query, call);
    this.#known.set(query.word, answer);
    return answer;
  }
}
