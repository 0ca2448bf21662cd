import { expect } from 'chai';
import { Connection, InjectWorker, Module, OnData, type WorkerClient } from 'packet-ts';
import { json } from 'packet-ts/framing';
import { createTestApp } from 'packet-ts/testing';
import { MailWorker } from '../fixtures/workers/mail.worker.js';

@Connection({ listen: 'tcp://127.0.0.1:0', framing: json() })
class Asker {
  constructor(@InjectWorker(MailWorker) private readonly mail: WorkerClient<MailWorker>) {}
  @OnData() ask(message: unknown): Promise<unknown> {
    return this.mail.ask(message);
  }
}

@Module({ connections: [Asker], workers: [MailWorker] })
class AppModule {}

interface Told {
  readonly data: unknown;
  readonly caller: { readonly connection: { readonly id: string; readonly remote: string } };
  readonly deadline: number;
  readonly attempt: number;
  readonly aborted: boolean;
}

for (const runtime of ['process', 'inline'] as const) {
  describe(`the mailbox of a worker, runtime '${runtime}'`, () => {
    it('is told who asks, until when and for which time, as a task is', async () => {
      const app = await createTestApp(AppModule).start({ runtime });
      const client = await app.connect(Asker);
      const begin = Date.now();
      client.send({ hello: 1 });
      const told = (await client.next()) as Told;
      expect(told).to.deep.include({ data: { hello: 1 }, attempt: 1, aborted: false });
      expect(told.caller.connection.id).to.match(/./);
      expect(told.caller.connection).to.have.property('remote');
      expect(told.deadline).to.be.within(begin + 4_000, Date.now() + 6_000);
      await app.close();
    });
  });
}
