import { AsyncLocalStorage } from 'node:async_hooks';
import { expect } from 'chai';
import {
  AbortError,
  BoundaryError,
  StreamStalledError,
  WorkerCrashedError,
  WorkerRecycledError,
  WorkerTimeoutError,
  UsageError,
} from '../../src/errors.js';
import { Kind } from '../../src/wire/link/protocol.js';
import { Owner } from '../../src/workers/call/owner.js';
import type { FakeWorker, Heard } from './support/fake-host.js';
import { rejection, Rig } from './support/rig.js';

describe('streams', () => {
  let rig: Rig;
  const started = async (...given: ConstructorParameters<typeof Rig>): Promise<FakeWorker> => {
    rig = await Rig.started(...given);
    return rig.host.worker(1);
  };
  const items = (worker: FakeWorker, call: Heard, from: number, to: number): void => {
    for (let i = from; i <= to; i++) worker.link.sendValue(Kind.ITEM, call.id, 0, i);
  };

  afterEach(async () => {
    await rig.close();
    expect(rig.clock.pending, 'timers left').to.equal(0);
  });

  describe('out of a task', () => {
    it('arrive in order and end', async () => {
      const worker = await started();
      const stream = rig.client().count(3);
      const call = await worker.call();
      items(worker, call, 1, 3);
      worker.link.send(Kind.END, call.id, 0);
      const got: number[] = [];
      for await (const item of stream) got.push(item);
      expect(got).to.deep.equal([1, 2, 3]);
    });

    it('give credit back as items are taken, and only then', async () => {
      const worker = await started();
      const stream = rig.client().count(100);
      const call = await worker.call();
      items(worker, call, 1, 16);
      await rig.settle();
      expect(worker.kinds).to.deep.equal([]);
      for (let i = 0; i < 8; i++) await stream.next();
      expect(await worker.next(Kind.CREDIT)).to.include({ id: call.id, arg: 8 });
      await stream.return?.();
      worker.link.send(Kind.END, call.id, 0);
    });

    it('cost a process its life when it sends without credit', async () => {
      const worker = await started();
      const stream = rig.client().count(100);
      const call = await worker.call();
      worker.begun = call.id;
      items(worker, call, 1, 17);
      const error = await rejection<WorkerCrashedError>(
        (async () => {
          for await (const _ of stream);
        })(),
      );
      expect(error).to.be.instanceOf(WorkerCrashedError).and.to.include({ reason: 'protocol' });
    });

    it('stop the generator when the caller leaves the loop', async () => {
      const worker = await started();
      const stream = rig.client().count(100);
      const call = await worker.call();
      items(worker, call, 1, 5);
      for await (const item of stream) if (item === 2) break;
      expect(await worker.next(Kind.CANCEL)).to.include({ id: call.id, arg: 2 });
      worker.link.send(Kind.END, call.id, 0);
      await rig.settle();
      expect(rig.workforce.calls).to.equal(0);
    });

    it('give the items that came before an error', async () => {
      const worker = await started();
      const stream = rig.client().count(100);
      const call = await worker.call();
      items(worker, call, 1, 2);
      worker.fail(call, new RangeError('enough'));
      await rig.settle();
      expect(await stream.next()).to.deep.equal({ done: false, value: 1 });
      expect(await stream.next()).to.deep.equal({ done: false, value: 2 });
      expect(await rejection(stream.next())).to.be.instanceOf(RangeError);
      expect(await stream.next()).to.deep.equal({ done: true, value: undefined });
    });

    it('are given up with an AbortError at once', async () => {
      const worker = await started();
      const control = new AbortController();
      const stream = rig.client().count(1, { signal: control.signal });
      const call = await worker.call();
      items(worker, call, 1, 5);
      await rig.settle();
      control.abort('away');
      expect(await rejection(stream.next())).to.be.instanceOf(AbortError);
      expect(await worker.next(Kind.CANCEL)).to.include({ arg: 0 });
      worker.link.send(Kind.END, call.id, 0);
    });

    it('check each item', async () => {
      const worker = await started();
      const stream = rig.client().count(1);
      const call = await worker.call();
      worker.link.sendValue(Kind.ITEM, call.id, 0, 'no number');
      expect(await rejection(stream.next())).to.be.instanceOf(BoundaryError);
      await worker.next(Kind.CANCEL);
      worker.link.send(Kind.END, call.id, 0);
    });

    it('are bounded item by item: timeout runs from one to the next', async () => {
      const worker = await started({ timeout: 1000 });
      const stream = rig.client().count(1);
      const call = await worker.call();
      for (let i = 1; i <= 5; i++) {
        await rig.clock.advance(900);
        items(worker, call, i, i);
        expect(await stream.next()).to.include({ value: i });
      }
      await rig.clock.advance(1000);
      expect(await rejection(stream.next())).to.be.instanceOf(WorkerTimeoutError);
    });

    it('stall when nobody takes: the clock stands still without credit, then it is given up and the slot is free', async () => {
      const worker = await started({ timeout: 1000, stallTimeout: 30_000 });
      const stream = rig.client().count(1);
      const call = await worker.call();
      items(worker, call, 1, 16);
      await rig.clock.advance(29_999);
      expect(worker.signals).to.deep.equal([]);
      await rig.clock.advance(1);
      await worker.next(Kind.CANCEL);
      worker.link.send(Kind.END, call.id, 0);
      await rig.settle();
      expect(rig.workforce.calls).to.equal(0);
      for (let i = 0; i < 16; i++) await stream.next();
      expect(await rejection(stream.next()))
        .to.be.instanceOf(StreamStalledError)
        .and.to.include({ timeout: 30_000 });
    });

    it('run their clock again when credit comes', async () => {
      const worker = await started({ timeout: 1000 });
      const stream = rig.client().count(1);
      const call = await worker.call();
      items(worker, call, 1, 16);
      await rig.clock.advance(20_000);
      for (let i = 0; i < 8; i++) await stream.next();
      await worker.next(Kind.CREDIT);
      await rig.clock.advance(1000);
      expect(worker.signals).to.deep.equal(['SIGKILL']);
    });

    it('are never run again after the first item', async () => {
      const worker = await started();
      const stream = rig.client().countAgain(1);
      const call = await worker.call();
      items(worker, call, 1, 1);
      await stream.next();
      worker.begun = call.id;
      worker.die({ signal: 'SIGKILL' });
      expect(await rejection(stream.next())).to.be.instanceOf(WorkerCrashedError);
    });

    it('are run again before it, where the task is idempotent', async () => {
      const worker = await started();
      const stream = rig.client().countAgain(1);
      worker.begun = (await worker.call()).id;
      worker.die({ signal: 'SIGKILL' });
      const second = await rig.host.worker(2);
      const call = await second.call();
      items(second, call, 1, 1);
      second.link.send(Kind.END, call.id, 0);
      expect(await stream.next()).to.include({ value: 1 });
      expect(await stream.next()).to.include({ done: true });
    });

    it('end with a WorkerRecycledError when their process is recycled and drainTimeout passes', async () => {
      const worker = await started({ drainTimeout: 5000 });
      const stream = rig.client().count(1);
      const call = await worker.call();
      const restarted = rig.workforce.restart(rig.worker);
      await rig.host.worker(2);
      await rig.clock.advance(5000);
      expect(await rejection(stream.next())).to.be.instanceOf(WorkerRecycledError);
      await worker.next(Kind.CANCEL);
      worker.link.send(Kind.END, call.id, 0);
      await restarted;
    });
  });

  describe('into a task', () => {
    it('send items as credit allows, then the end', async () => {
      const worker = await started();
      const answer = rig.client().take(1, { send: Array.from({ length: 20 }, (_, i) => i) });
      const call = await worker.call();
      expect(call.arg & 0x2_0000, 'SENDS').to.not.equal(0);
      for (let i = 0; i < 16; i++) expect((await worker.next(Kind.ITEM)).value).to.equal(i);
      await rig.settle();
      expect(worker.kinds).to.deep.equal([]);
      worker.link.send(Kind.CREDIT, call.id, (1 << 24) | 8);
      for (let i = 16; i < 20; i++) expect(await worker.next(Kind.ITEM)).to.include({ value: i, arg: 1 });
      expect(await worker.next(Kind.END)).to.include({ id: call.id, arg: 1 });
      worker.reply(call, 'all');
      expect(await answer).to.equal('all');
    });

    it("fail with what the caller's own iterable throws", async () => {
      const worker = await started();
      async function* broken(): AsyncGenerator<number> {
        yield 1;
        throw new RangeError('no more');
      }
      const rejected = rejection(rig.client().take(1, { send: broken() }));
      const call = await worker.call();
      expect(await rejected).to.be.instanceOf(RangeError);
      await worker.next(Kind.CANCEL);
      worker.link.send(Kind.REPLY, call.id, 0);
    });

    it("end the caller's iterable when the call settles", async () => {
      const worker = await started();
      let closed = (): void => {};
      const ended = new Promise<void>(resolve => (closed = resolve));
      async function* endless(): AsyncGenerator<number> {
        try {
          for (let i = 0; ; i++) yield i;
        } finally {
          closed();
        }
      }
      const answer = rig.client().take(1, { send: endless() });
      worker.reply(await worker.call(), 'enough');
      expect(await answer).to.equal('enough');
      await ended;
    });

    it("run the caller's iterable in the context of the call, whoever granted the credit", async () => {
      const worker = await started();
      const place = new AsyncLocalStorage<string>();
      const seen = new Set<string | undefined>();
      async function* watched(): AsyncGenerator<number> {
        try {
          for (let i = 0; i < 20; i++) yield (seen.add(place.getStore()), i);
        } finally {
          seen.add(place.getStore());
        }
      }
      const answer = place.run('mine', () => rig.client().take(1, { send: watched() }));
      const call = await worker.call();
      worker.link.send(Kind.CREDIT, call.id, (1 << 24) | 8);
      await worker.next(Kind.END);
      worker.reply(call, 'all');
      await answer;
      expect([...seen]).to.deep.equal(['mine']);
    });

    it('are sent again to another process when the first had not begun', async () => {
      const worker = await started();
      const answer = rig.client().take(1, { send: [1, 2] });
      await worker.next(Kind.END);
      worker.die({ signal: 'SIGKILL' });
      const second = await rig.host.worker(2);
      const call = await second.call();
      expect((await second.next(Kind.ITEM)).value).to.equal(1);
      expect((await second.next(Kind.ITEM)).value).to.equal(2);
      await second.next(Kind.END);
      second.reply(call, 'once');
      expect(await answer).to.equal('once');
    });
  });

  describe('events', () => {
    it("go to the call's own handler and to its owner, before it settles", async () => {
      const worker = await started();
      const told: unknown[] = [];
      const owner = new Owner(
        'connection',
        'c',
        {},
        { onEvent: (worker, name, payload, from) => told.push([worker.name, name, payload, from.task, from.tag]) },
      );
      const answer = rig.client(owner).tick(1, { tag: 'my', on: { progress: payload => told.push(payload) } });
      const call = await worker.call();
      worker.link.sendValue(Kind.EVENT, call.id, 0, ['progress', 50]);
      worker.reply(call, 'done');
      await answer.then(value => told.push(value));
      expect(told).to.deep.equal([50, ['Fixture', 'progress', 50, 'tick', 'my'], 'done']);
    });

    it("run the call's own handler in the context of the call", async () => {
      const worker = await started();
      const place = new AsyncLocalStorage<string>();
      const told: unknown[] = [];
      const on = { progress: (payload: unknown) => told.push([payload, place.getStore()]) };
      const answer = place.run('mine', () => rig.client().tick(1, { on }));
      const call = await worker.call();
      worker.link.sendValue(Kind.EVENT, call.id, 0, ['progress', 50]);
      worker.reply(call, 'done');
      await answer;
      expect(told).to.deep.equal([[50, 'mine']]);
    });

    it('reach no owner that is closed', async () => {
      const worker = await started();
      const told: unknown[] = [];
      const owner = new Owner('connection', 'c', {}, { onEvent: (_worker, name) => told.push(name) });
      const answer = rig.client(owner).tick(1);
      const call = await worker.call();
      owner.close();
      worker.link.sendValue(Kind.EVENT, call.id, 0, ['progress', 50]);
      worker.reply(call);
      await answer;
      expect(told).to.deep.equal([]);
    });

    it('fail the call alone whose listeners cannot be read', async () => {
      rig = await Rig.started();
      const rude = {
        get progress(): never {
          throw new Error('no listener');
        },
      };
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      for (const options of [{ on: rude }, { on: null }, { on: proxy }, proxy, { signal: {} }, { signal: proxy }])
        expect(await rejection(rig.client().tick(1, options as never))).to.be.instanceOf(UsageError);
      expect(rig.workforce.calls).to.equal(0);
    });

    it('travel on credit, which comes back when they are dealt with', async () => {
      const worker = await started();
      const answer = rig.client().tick(1, { on: { progress: () => {} } });
      const call = await worker.call();
      for (let i = 0; i < 64; i++) worker.link.sendValue(Kind.EVENT, call.id, 0, ['progress', i]);
      for (let i = 0; i < 2; i++) expect(await worker.next(Kind.CREDIT)).to.include({ id: call.id, arg: (2 << 24) | 32 });
      worker.reply(call);
      await answer;
    });

    it('fail the call when their schema refuses them', async () => {
      const worker = await started();
      const rejected = rejection(rig.client().tick(1));
      const call = await worker.call();
      worker.link.sendValue(Kind.EVENT, call.id, 0, ['progress', 'much']);
      expect(await rejected).to.be.instanceOf(BoundaryError);
      worker.reply(call);
    });
  });

  describe('the mailbox', () => {
    it('answers an ask', async () => {
      const worker = await started();
      const answer = rig.client().ask({ q: 1 });
      const mail = await worker.next(Kind.MAIL);
      expect(mail).to.deep.include({ arg: 0, value: { q: 1 } });
      worker.reply(mail, 'a');
      expect(await answer).to.equal('a');
    });

    it("brings a tell's answer and failure to its owner", async () => {
      const worker = await started({ prefetch: 10 });
      const told: unknown[] = [];
      const owner = new Owner(
        'connection',
        'c',
        {},
        { onAnswer: (_worker, data) => told.push(data), onFailure: error => told.push(error.message) },
      );
      const client = rig.client(owner);
      client.tell(1);
      client.tell(2);
      worker.reply(await worker.next(Kind.MAIL, 1), 'one');
      worker.fail(await worker.next(Kind.MAIL, 2), new Error('two'));
      await rig.settle();
      expect(told).to.deep.equal(['one', 'two']);
    });

    it('brings nothing to an owner that is closed', async () => {
      const worker = await started();
      const told: unknown[] = [];
      const owner = new Owner('connection', 'c', {}, { onAnswer: (_worker, data) => told.push(data) });
      rig.client(owner).tell(1);
      const mail = await worker.next(Kind.MAIL);
      owner.close();
      worker.reply(mail);
      await rig.settle();
      expect(told).to.deep.equal([]);
    });
  });
});
