import { Connection, InjectWorker, OnConnect, OnData, OnError, PacketError, Workers, type WorkerClient } from 'packet-ts';
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
    // From 500 on an error may tell of files and addresses: that is for the log.
    return { error: error instanceof PacketError && error.statusCode < 500 ? error.message : error.name };
  }
}
