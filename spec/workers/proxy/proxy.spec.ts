import { expect } from 'chai';
import { z } from 'zod';
import type { ProxyCall } from '../../../src/decorators/worker/proxy-types.js';
import { AbortError, BoundaryError, ClosingError, UsageError, WorkerUnavailableError } from '../../../src/errors.js';
import { toValidator } from '../../../src/schema.js';
import { Kind } from '../../../src/wire/link/protocol.js';
import type { BuiltProxy } from '../../../src/workers/proxy/proxy-gate.js';
import { Owner } from '../../../src/workers/call/owner.js';
import { WorkerProxy } from '../../../src/workers/proxy/proxy.js';
import type { FakeWorker, Heard } from '../support/fake-host.js';
import { rejection, Rig } from '../support/rig.js';

/** The tasks of the fixture, as its class would have them. */
abstract class Fixture {
  abstract run(input: unknown): unknown;
  abstract text(input: string): string;
  abstract count(to: number): AsyncIterable<number>;
  abstract tick(input: unknown): unknown;
}

const echo = (worker: FakeWorker, call: Heard): void => worker.reply(call);

describe('a proxy', () => {
  let rig: Rig;
  const behind = async (
    Proxy: new () => WorkerProxy<Fixture>,
    methods: string[],
    more: Partial<BuiltProxy> = {},
    ...given: ConstructorParameters<typeof Rig>
  ): Promise<WorkerProxy<Fixture>> => {
    let proxy!: WorkerProxy<Fixture>;
    const build = (): BuiltProxy => ({ instance: (proxy = new Proxy()), methods: new Set(methods), mailbox: [], ...more });
    rig = await Rig.started(given[0], given[1], { proxy: () => Proxy }, build);
    return proxy;
  };

  afterEach(async () => {
    await rig.close();
    expect(rig.clock.pending, 'timers left').to.equal(0);
  });

  it('answers in the place of its task, and lets every other task pass through', async () => {
    class Cache extends WorkerProxy<Fixture> {
      text(input: string): string {
        return `cached ${input}`;
      }
    }
    await behind(Cache, ['text'], {}, {}, { call: echo });
    expect(await rig.client().text('x')).to.equal('cached x');
    expect(await rig.client().run('passes')).to.equal('passes');
  });

  it('checks the input before it and the answer after it', async () => {
    const seen: unknown[] = [];
    class Wrong extends WorkerProxy<Fixture> {
      text(input: string): string {
        seen.push(input);
        return 5 as unknown as string;
      }
    }
    await behind(Wrong, ['text']);
    expect(await rejection(rig.client().text(7)))
      .to.be.instanceOf(BoundaryError)
      .and.to.include({ direction: 'input' });
    expect(seen).to.deep.equal([]);
    expect(await rejection(rig.client().text('x')))
      .to.be.instanceOf(BoundaryError)
      .and.to.include({ direction: 'output' });
  });

  it("asks its worker with the asker's owner, limits, events and place in the queue", async () => {
    class Pass extends WorkerProxy<Fixture> {
      async tick(input: unknown, call: ProxyCall): Promise<unknown> {
        return this.worker.tick(input, call);
      }
    }
    await behind(Pass, ['tick'], {}, {}, { context: true });
    const told: unknown[] = [];
    const owner = new Owner(
      'connection',
      'c7',
      { connection: { id: 'c7', remote: { url: 'tcp://x' } } },
      { onEvent: (_w, name, payload) => told.push([name, payload]) },
    );
    const answer = rig.client(owner).tick('in', { timeout: 500, on: { progress: payload => told.push(payload) } });
    const worker = await rig.host.worker(1);
    const meta = (await worker.next(Kind.META)).value as { caller: unknown; deadline: number };
    expect(meta.caller).to.deep.equal({ connection: { id: 'c7', remote: { url: 'tcp://x' } } });
    expect(meta.deadline).to.equal(rig.clock.epoch() + 500);
    const call = await worker.call();
    worker.link.sendValue(Kind.EVENT, call.id, 0, ['progress', 1]);
    worker.reply(call, 'out');
    expect(await answer).to.equal('out');
    expect(told).to.deep.equal([1, ['progress', 1]]);
  });

  it('is told of its asker, and requires the call', async () => {
    const calls: ProxyCall[] = [];
    class Spy extends WorkerProxy<Fixture> {
      async text(input: string, call: ProxyCall): Promise<string> {
        calls.push(call);
        await (this.worker.run as (input: unknown) => Promise<unknown>)(input);
        return input;
      }
    }
    await behind(Spy, ['text']);
    expect(await rejection(rig.client().text('x', { tag: 'my', affinity: 'a' }))).to.be.instanceOf(UsageError);
    expect(calls[0]).to.include({ tag: 'my', affinity: 'a', deadline: undefined });
    expect(calls[0]!.signal.aborted).to.equal(false);
  });

  it('does not keep an asker who gives up, whatever it does', async () => {
    const signals: AbortSignal[] = [];
    class Never extends WorkerProxy<Fixture> {
      text(_input: string, call: ProxyCall): Promise<string> {
        signals.push(call.signal);
        return new Promise(() => {});
      }
    }
    await behind(Never, ['text']);
    const control = new AbortController();
    const rejected = rejection(rig.client().text('x', { signal: control.signal }));
    control.abort('enough');
    expect(await rejected)
      .to.be.instanceOf(AbortError)
      .and.to.include({ cause: 'enough' });
    expect(signals[0]!.reason).to.equal('enough');
    const owner = new Owner('connection', 'c');
    const gone = rejection(rig.client(owner).text('y'));
    owner.abort('gone');
    expect(await gone).to.be.instanceOf(AbortError);
    expect(signals[1]!.aborted).to.equal(true);
  });

  it('streams in the place of a task that streams, item by item, and is ended when the asker leaves', async () => {
    let ended = false;
    class Counter extends WorkerProxy<Fixture> {
      async *count(to: number): AsyncGenerator<number> {
        try {
          for (let i = 1; i <= to; i++) yield i;
        } finally {
          ended = true;
        }
      }
    }
    await behind(Counter, ['count']);
    const got: number[] = [];
    for await (const item of rig.client().count(3)) got.push(item);
    expect(got).to.deep.equal([1, 2, 3]);
    ended = false;
    for await (const item of rig.client().count(100)) if (item === 2) break;
    await rig.settle();
    expect(ended).to.equal(true);
  });

  it('may pass a stream on', async () => {
    class Doubler extends WorkerProxy<Fixture> {
      async *count(to: number, call: ProxyCall): AsyncGenerator<number> {
        for await (const item of this.worker.count(to, call)) yield item * 2;
      }
    }
    await behind(Doubler, ['count']);
    const stream = rig.client().count(2);
    const first = stream.next();
    const worker = await rig.host.worker(1);
    const call = await worker.call();
    worker.link.sendValue(Kind.ITEM, call.id, 0, 1);
    worker.link.sendValue(Kind.ITEM, call.id, 0, 2);
    worker.link.send(Kind.END, call.id, 0);
    expect((await first).value).to.equal(2);
    expect((await stream.next()).value).to.equal(4);
    expect((await stream.next()).done).to.equal(true);
  });

  it('calls on its own account, and each live process by itself', async () => {
    class Broadcast extends WorkerProxy<Fixture> {
      async text(input: string, call: ProxyCall): Promise<string> {
        const answers = await Promise.all(this.instances.map(({ worker }) => worker.run(input, call)));
        const own = await this.own.run(`own ${input}`);
        return [...answers, own].join();
      }
      pids(): number[] {
        return this.instances.map(({ pid }) => pid);
      }
    }
    const proxy = (await behind(
      Broadcast,
      ['text'],
      {},
      { minWorkers: 2, maxWorkers: 2 },
      {
        call: (worker, call) => worker.reply(call, `${String(call.value)} ${worker.pid}`),
      },
    )) as Broadcast;
    expect(await rig.client().text('x')).to.match(/^x 1,x 2,own x [12]$/);
    expect(proxy.pids()).to.deep.equal([1, 2]);
  });

  it('is told when the process that it meant is gone', async () => {
    class Sticky extends WorkerProxy<Fixture> {
      ask(): Promise<unknown> {
        const [instance] = this.instances;
        const running = instance!.own.run('first');
        const waiting = instance!.own.run('second');
        return Promise.allSettled([running, waiting]);
      }
    }
    const proxy = (await behind(Sticky, [], {}, { prefetch: 0 })) as Sticky;
    const asked = proxy.ask() as Promise<PromiseSettledResult<unknown>[]>;
    const worker = await rig.host.worker(1);
    worker.begun = (await worker.call('first')).id;
    worker.die({ signal: 'SIGKILL' });
    const [, second] = await asked;
    expect((second as PromiseRejectedResult).reason).to.be.instanceOf(WorkerUnavailableError);
  });

  it('gets what its processes send unasked, by its first route that takes it', async () => {
    const told: unknown[] = [];
    class Listener extends WorkerProxy<Fixture> {
      number(data: number): void {
        told.push(data);
      }
      rest(data: unknown): void {
        told.push(['rest', data]);
      }
    }
    await behind(Listener, [], { mailbox: [{ key: 'number', validate: toValidator(z.number()) }, { key: 'rest' }] });
    const worker = await rig.host.worker(1);
    worker.link.sendValue(Kind.MESSAGE, 0, 0, 5);
    worker.link.sendValue(Kind.MESSAGE, 0, 0, 'five');
    await rig.settle();
    expect(told).to.deep.equal([5, ['rest', 'five']]);
  });

  it('is started when its worker is ready and stopped before it, and its calls still work then', async () => {
    const told: string[] = [];
    class Hooked extends WorkerProxy<Fixture> {
      farewell(): Promise<unknown> {
        return this.own.run('last');
      }
    }
    let proxy!: Hooked;
    const start = async (): Promise<void> => void told.push(`start, ${rig.host.workers.length} processes`);
    const stop = async (): Promise<void> => void told.push(`stop, ${(await proxy.farewell()) as string}`);
    rig = new Rig({}, { call: echo }, { proxy: () => Hooked }, () => ({
      instance: (proxy = new Hooked()),
      methods: new Set(),
      mailbox: [],
      start,
      stop,
    }));
    await rig.start();
    await rig.start();
    await rig.close();
    expect(told).to.deep.equal(['start, 1 processes', 'stop, last']);
  });

  it('answers what was asked before the application closes, with the help of its worker', async () => {
    let go = (): void => {};
    const gate = new Promise<void>(resolve => (go = resolve));
    class Slow extends WorkerProxy<Fixture> {
      async text(input: string, call: ProxyCall): Promise<string> {
        await gate;
        return (await this.worker.run(input, call)) as string;
      }
    }
    await behind(Slow, ['text'], {}, {}, { call: echo });
    const answer = rig.client().text('before');
    rig.workforce.refuse();
    expect(await rejection(rig.client().text('after'))).to.be.instanceOf(ClosingError);
    const idle = rig.workforce.whenIdle();
    go();
    expect(await answer).to.equal('before');
    await idle;
  });

  it('has the time that the end has, and whoever waits for it then is told', async () => {
    class Hung extends WorkerProxy<Fixture> {
      text(): Promise<string> {
        return new Promise(() => {});
      }
    }
    await behind(Hung, ['text'], { stop: () => new Promise(() => {}) });
    const waiting = rejection(rig.client().text('x'));
    const closed = rig.workforce.close(500);
    await rig.clock.advance(600);
    expect(await closed).to.include({ calls: 1 });
    expect(await waiting).to.include({ code: 'ERR_PACKET_WORKER_NOT_FOUND' });
  });

  it('may take its time to stop: who starts the worker again meanwhile gets a new one', async () => {
    let stopped = (): void => {};
    class Slow extends WorkerProxy<Fixture> {}
    await behind(Slow, [], { stop: () => new Promise<void>(resolve => (stopped = resolve)) });
    const stopping = rig.workforce.stop(rig.workforce.list()[0]!, undefined);
    const again = rig.start();
    stopped();
    await stopping;
    await again;
    expect(rig.workforce.list().map(({ state }) => state)).to.deep.equal(['ready']);
    const last = rig.workforce.close(0);
    stopped();
    await last;
  });

  it('does no harm with a stream that is none', async () => {
    const broken = {
      [Symbol.asyncIterator]: () => {
        throw new RangeError('no iterator');
      },
    };
    const bare = { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}), return: () => undefined }) };
    const rude = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => {}),
        return: () => {
          throw new Error('no return');
        },
      }),
    };
    class Streams extends WorkerProxy<Fixture> {
      count(which: number): AsyncIterable<number> {
        return [broken, bare, rude][which] as unknown as AsyncIterable<number>;
      }
    }
    await behind(Streams, ['count']);
    expect(await rejection(rig.client().count(0).next())).to.be.instanceOf(RangeError);
    for (const which of [1, 2]) {
      const controller = new AbortController();
      const next = rejection(rig.client().count(which, { signal: controller.signal }).next());
      await rig.settle();
      controller.abort();
      expect(await next).to.be.instanceOf(AbortError);
    }
  });

  it('cannot be made by hand', () => {
    class ByHand extends WorkerProxy<Fixture> {}
    expect(() => new ByHand()).to.throw(UsageError, /ByHand/);
    rig = new Rig();
  });
});
