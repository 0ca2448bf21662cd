import { expect } from 'chai';
import {
  BoundaryError,
  ConfigurationError,
  Connection,
  injectable,
  InjectWorker,
  Module,
  OnData,
  OnStart,
  Task,
  UsageError,
  Worker,
  type TaskContext,
  type WorkerClient,
} from 'packet-ts';
import { json } from 'packet-ts/framing';
import { createTestApp } from 'packet-ts/testing';
import { z } from 'zod';
import { rejection } from '../../workers/support/rig.js';

const real: string[] = [];

@injectable()
class Bank {
  @OnStart() protected connect(): void {
    real.push('connected to the bank');
  }
}

@Worker('pay', { timeout: '5s', providers: [Bank] })
class PayWorker {
  constructor(readonly bank: Bank) {
    real.push('built');
  }
  @Task({ input: z.number().positive(), output: z.object({ receipt: z.string() }) })
  pay(amount: number): { receipt: string } | Promise<{ receipt: string }> {
    real.push(`paid ${amount}`);
    return { receipt: 'real' };
  }
  @Task({ input: z.number(), yields: z.number() })
  async *instalments(count: number): AsyncGenerator<number> {
    yield count;
  }
  @Task({ events: { step: z.string() } })
  async report(_: undefined, { emit }: TaskContext<{ step: string }>): Promise<void> {
    await emit('step', 'real');
  }
  @OnData() mail(): unknown {
    return 'real';
  }
}

class Shop {
  constructor(@InjectWorker(PayWorker) readonly pay: WorkerClient<PayWorker>) {}
}

@Connection({ listen: 'tcp://127.0.0.1:0', framing: json() })
class Till {
  constructor(@InjectWorker(PayWorker) private readonly pay: WorkerClient<PayWorker>) {}
  @OnData() sell(amount: number) {
    return this.pay.pay(amount);
  }
}

@Module({ connections: [Till], workers: [PayWorker], providers: [Shop] })
class ShopModule {}

/** What a rejection lists. */
async function mistakesOf(start: Promise<unknown>): Promise<string> {
  const error = await rejection<ConfigurationError>(start);
  expect(error).to.be.instanceOf(ConfigurationError);
  return error.message;
}

for (const runtime of ['inline', 'process'] as const) {
  describe(`a test that overrides a worker, runtime '${runtime}'`, () => {
    beforeEach(() => void (real.length = 0));

    it('gets the answers of what stands in for it, from every client, and nothing of the real one is built', async () => {
      const paid: number[] = [];
      const app = await createTestApp(ShopModule)
        .override(PayWorker)
        .useValue({
          pay: amount => {
            paid.push(amount);
            return { receipt: 'fake' };
          },
        })
        .start({ runtime });
      expect(await app.get(Shop).pay.pay(5)).to.deep.equal({ receipt: 'fake' });
      const client = await app.connect(Till);
      client.send(7);
      expect(await client.next()).to.deep.equal({ receipt: 'fake' });
      expect(paid).to.deep.equal([5, 7]);
      expect(real).to.deep.equal([]);
      await app.close();
    });

    it('is told what the real one would be told: of an input and an output that do not fit', async () => {
      const app = await createTestApp(ShopModule)
        .override(PayWorker)
        .useValue({ pay: () => ({ wrong: 1 }) as never })
        .start({ runtime });
      const { pay } = app.get(Shop);
      expect(await rejection(pay.pay(-1)))
        .to.be.instanceOf(BoundaryError)
        .with.property('direction', 'input');
      expect(await rejection(pay.pay(1)))
        .to.be.instanceOf(BoundaryError)
        .with.property('direction', 'output');
      await app.close();
    });

    it('streams, emits and answers mail with it, and has the context of the call', async () => {
      const app = await createTestApp(ShopModule)
        .override(PayWorker)
        .useValue({
          async *instalments(count) {
            for (let i = 0; i < count; i++) yield i;
          },
          async report(_, { emit }) {
            await emit('step', 'fake');
          },
          mail: () => 'fake',
          pay: (...[amount, context]: unknown[]) => ({ receipt: `${String(amount)} in attempt ${(context as TaskContext).attempt}` }),
        })
        .start({ runtime });
      const { pay } = app.get(Shop);
      const items: number[] = [];
      for await (const item of pay.instalments(3)) items.push(item);
      expect(items).to.deep.equal([0, 1, 2]);
      const steps: string[] = [];
      await pay.report(undefined, { on: { step: step => steps.push(step) } });
      expect(steps).to.deep.equal(['fake']);
      expect(await pay.ask('anything')).to.equal('fake');
      expect(await pay.pay(1)).to.deep.equal({ receipt: '1 in attempt 1' });
      await app.close();
    });

    it('may give a class for it, which is built like any other, and is told which method it lacks', async () => {
      class Rates {
        rate = 2;
      }
      @injectable()
      class FakePay {
        constructor(readonly shop: Rates) {}
        pay(amount: number) {
          return { receipt: `${amount} × ${this.shop.rate}` };
        }
      }
      class FakeWithItsOwn extends PayWorker {
        constructor() {
          super(new Bank());
        }
        override pay() {
          return { receipt: 'own' };
        }
      }
      const own = await createTestApp(ShopModule).override(PayWorker).useClass(FakeWithItsOwn).start({ runtime });
      expect(await own.get(Shop).pay.pay(1)).to.deep.equal({ receipt: 'own' });
      await own.close();
      const error = await mistakesOf(
        createTestApp(ShopModule)
          .override(PayWorker)
          .useClass(FakePay as never)
          .start({ runtime }),
      );
      expect(error).to.include('nothing provides Rates');
      const app = await createTestApp(ShopModule).override(PayWorker).useValue({}).start({ runtime });
      expect(await rejection(app.get(Shop).pay.pay(1)))
        .to.be.instanceOf(UsageError)
        .with.property('message')
        .that.matches(/what overrides pay has no method pay\(\)/);
      await app.close();
    });
  });
}

describe('a test that overrides what changes nothing', () => {
  class Nobody {}
  const start = (token: never, runtime: 'inline' | 'process' = 'inline') =>
    mistakesOf(createTestApp(ShopModule).override(token).useValue({}).start({ runtime }));

  it('is told of a class that nothing provides or asks for', async () => {
    expect(await start(Nobody as never)).to.equal(
      'override(Nobody): nothing provides it or asks for it. override what the application uses, or leave it out.',
    );
  });

  it('is told of a token, and of a worker of another application', async () => {
    @Worker('other_pay', { timeout: '1s' })
    class OtherPay {}
    expect(await start('a token' as never)).to.match(/^override\('a token'\): nothing provides it/);
    expect(await start(OtherPay as never)).to.match(/^override\(OtherPay\): nothing provides it/);
  });

  it('is told of a connection class', async () => {
    expect(await start(Till as never)).to.match(/^override\(Till\): a connection class is built for each peer/);
  });

  it('is told of what lives in a process of its own', async () => {
    expect(await start(Bank as never, 'process')).to.match(/^override\(Bank\): PayWorker provides it in a process of its own/);
  });
});
