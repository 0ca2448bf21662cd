import { Connection, InjectWorker, OnConnect, OnData, OnError, Workers, type WorkerClient } from 'packet-ts';
import { json } from 'packet-ts/framing';
import { FooWorker, Query, type Answer } from './foo.worker.js';

/** A JSON document a line. The first client starts the worker; for the others that changes nothing. */
@Connection({ listen: 'tcp://127.0.0.1:11007', framing: json() })
export class FooConnection {
  constructor(
    @InjectWorker(FooWorker) private readonly foo: WorkerClient<FooWorker>,
    private readonly workers: Workers,
  ) {}

  @OnConnect()
  protected async ready(): Promise<void> {
    await this.workers.start(FooWorker);
  }

  @OnData(Query)
  look(query: Query): Promise<Answer> {
    return this.foo.look(query);
  }

  @OnError()
  explain(error: Error): { error: string } {
    return { error: error.message };
  }
}
