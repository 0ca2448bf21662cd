import { expect } from 'chai';
import {
  Connection,
  InjectWorker,
  Module,
  OnClose,
  OnConnect,
  OnData,
  OnError,
  OnWorkerData,
  OnWorkerEvent,
  Peer,
  type WorkerClient,
} from 'packet-ts';
import { lines } from 'packet-ts/framing';
import { createTestApp } from 'packet-ts/testing';
import { Random } from '../../kit/random.js';
import { atEnd, waitFor } from '../../kit/index.js';
import { Says, user, who } from '../../fixtures/workers/context.worker.js';

const CLIENTS = 1000;

describe('the contexts of a thousand clients at once', () => {
  it('are each seen by its own hooks, events, answers and errors, and by no other’s', async function () {
    this.timeout(120_000);
    this.slow(30_000);
    const seen = { own: 0, none: 0, foreign: [] as string[] };
    const count = (hook: string, name: string): void => {
      const whose = who();
      if (whose === name) seen.own++;
      else if (whose === 'nobody') seen.none++;
      else seen.foreign.push(`${hook} of ${name} sees ${whose}`);
    };
    const random = new Random(14);
    const turns = async (): Promise<void> => {
      for (let i = random.below(4); i > 0; i--) await new Promise<void>(resolve => setImmediate(resolve));
    };
    let closed = 0;
    let answered = 0;
    @Connection({ listen: 'tcp://127.0.0.1:0', framing: lines() })
    class Asks {
      #name = '';
      constructor(
        @InjectWorker(Says) private readonly says: WorkerClient<Says>,
        readonly peer: Peer,
      ) {}
      @OnConnect() async connected(): Promise<void> {
        user.enterWith(this.peer.id);
        await turns();
        count('@OnConnect', this.peer.id);
      }
      @OnData() async data(name: string): Promise<string> {
        this.#name = name;
        return user.run(name, async () => {
          await turns();
          count('@OnData', name);
          this.says.tell(name);
          await this.says.steps(name, { on: { step: () => count('on', name) } });
          await turns();
          count('@OnData later', name);
          if (name.endsWith('7')) throw new Error('explain');
          return this.says.at(name);
        });
      }
      @OnWorkerData(Says) answer(data: unknown): void {
        count('@OnWorkerData', String(data).split(' ')[0]!);
        answered++;
      }
      @OnWorkerEvent(Says, 'step') async step(name: string): Promise<void> {
        count('@OnWorkerEvent', name);
        await turns();
        count('@OnWorkerEvent later', name);
      }
      @OnError() explain(): string {
        // Its connection's, or what its connection has entered: never that of another.
        count('@OnError', who() === this.#name ? this.#name : this.peer.id);
        return `${this.#name} explained`;
      }
      @OnClose() over(): void {
        count('@OnClose', this.peer.id);
        closed++;
      }
    }
    @Module({ connections: [Asks], workers: [Says] })
    class AppModule {}
    const app = await createTestApp(AppModule).start();
    atEnd(() => app.close());
    const names = Array.from({ length: CLIENTS }, (_, i) => `client-${i}`);
    await Promise.all(
      names.map(async name => {
        const client = await app.connect(Asks);
        await turns();
        client.send(name);
        expect(await client.next({ within: '60s' })).to.match(name.endsWith('7') ? /explained$/ : new RegExp(`^${name} nobody$`));
        await client.end();
      }),
    );
    await waitFor(() => closed === CLIENTS, { within: '60s' });
    expect(seen.foreign).to.deep.equal([]);
    expect(answered).to.be.greaterThan(CLIENTS / 2);
    // Each hook was in a context of its client's more often than in none.
    expect(seen.own).to.be.greaterThan(seen.none);
  });
});
