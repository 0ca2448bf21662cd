import { expect } from 'chai';
import { LAST_CALL } from '../../../src/wire/link/protocol.js';
import { CallTable } from '../../../src/workers/process/call-table.js';
import { rejection, Rig } from '../support/rig.js';

describe('the dispatcher', () => {
  let rig: Rig;
  const started = async (...given: ConstructorParameters<typeof Rig>): Promise<Rig> => (rig = await Rig.started(...given));

  afterEach(async () => {
    await rig.close();
    expect(rig.clock.pending, 'timers left').to.equal(0);
  });

  it('replaces a process whose calls have used up all numbers: none of them hangs', async () => {
    const lastId = Object.getOwnPropertyDescriptor(CallTable.prototype, 'lastId')!;
    // As if it had been given all but two before.
    Object.defineProperty(CallTable.prototype, 'lastId', {
      ...lastId,
      get(this: CallTable): number {
        return Math.max(LAST_CALL - 2, lastId.get!.call(this) as number);
      },
    });
    try {
      await started({}, { call: (worker, call) => worker.reply(call, [worker.pid, call.id - LAST_CALL]) });
      const answers = Promise.all([1, 2, 3].map(value => rig.client().run(value)));
      await rig.clock.advance(1000);
      expect(await answers).to.deep.equal([
        [1, -1],
        [1, 0],
        [2, -1],
      ]);
    } finally {
      Object.defineProperty(CallTable.prototype, 'lastId', lastId);
    }
  });

  describe('prefetch', () => {
    it('gives a process that is quick many calls ahead, one that is slow none', async () => {
      await started();
      const client = rig.client();
      const worker = await rig.host.worker(1);
      // Quick: answers within the same instant.
      for (let i = 0; i < 12; i++) {
        const answer = client.run(i);
        worker.reply(await worker.call());
        await answer;
      }
      const many = Array.from({ length: 300 }, (_, i) => client.run(i));
      await rig.settle();
      expect(worker.calls.length).to.equal(257);
      await rig.clock.advance(2000);
      for (let i = 0; i < 300; i++) {
        const call = await worker.call(i);
        worker.reply(call);
        if (i === 0) {
          await many[0];
          await rig.settle();
        }
      }
      await Promise.all(many);
    });

    it('gives none ahead while another process is idle or may start', async () => {
      await started({ maxWorkers: 2, minWorkers: 2 });
      const client = rig.client();
      const answers = [1, 2, 3].map(value => client.run(value));
      await rig.settle();
      expect(rig.host.workers.map(worker => worker.calls)).to.deep.equal([[1], [2]]);
      const [first] = rig.host.workers;
      first!.reply(await first!.call(1));
      first!.reply(await first!.call(3));
      rig.host.workers[1]!.reply(await rig.host.workers[1]!.call(2));
      await Promise.all(answers);
    });

    it('gives none ahead after a kill until the new process has proven quick', async () => {
      await started({ timeout: 1000 });
      const client = rig.client();
      const loop = rejection(client.run('loop'));
      await (await rig.host.worker(1)).call();
      await rig.clock.advance(1000);
      await loop;
      const second = await rig.host.worker(2);
      const answers = [1, 2, 3, 4, 5, 6, 7, 8, 9].map(value => client.run(value));
      for (const value of [1, 2, 3]) {
        const call = await second.call(value);
        await rig.settle();
        expect(second.calls, `behind ${value}`).to.deep.equal([]);
        second.reply(call);
      }
      for (const value of [4, 5, 6, 7, 8, 9]) second.reply(await second.call(value));
      await Promise.all(answers);
    });

    it('holds back while the kernel takes no more', async () => {
      await started({ prefetch: 100 });
      const client = rig.client();
      const big = Buffer.alloc(200_000);
      const worker = await rig.host.worker(1);
      worker.link; // reads on; nothing is lost
      const answers = Array.from({ length: 20 }, () => client.run(big));
      for (let i = 0; i < 20; i++) worker.reply(await worker.call(), i);
      expect(await Promise.all(answers)).to.have.length(20);
    });
  });

  describe('affinity', () => {
    it('runs calls of equal affinity one at a time, in order, on one process', async () => {
      await started({ minWorkers: 3, maxWorkers: 3 });
      const client = rig.client();
      const calls = [1, 2, 3].map(value => client.run(value, { affinity: 'a' }));
      const free = client.run('free');
      await rig.settle();
      const first = rig.host.workers.find(worker => worker.calls.includes(1))!;
      expect(rig.host.workers.flatMap(worker => worker.calls)).to.have.members([1, 'free']);
      const other = rig.host.workers.find(worker => worker.calls.includes('free'))!;
      other.reply(await other.call('free'));
      await free;
      for (const value of [1, 2, 3]) first.reply(await first.call(value));
      expect(await Promise.all(calls)).to.deep.equal([1, 2, 3]);
    });

    it('stays at its process, though one that comes first is idle', async () => {
      await started({ minWorkers: 2, maxWorkers: 2 });
      const client = rig.client();
      const free = client.run('free');
      const calls = [1, 2].map(value => client.run(value, { affinity: 'a' }));
      const [first, second] = [await rig.host.worker(1), await rig.host.worker(2)];
      first.reply(await first.call('free'));
      await free;
      second.reply(await second.call(1));
      second.reply(await second.call(2));
      expect(await Promise.all(calls)).to.deep.equal([1, 2]);
      expect(first.calls).to.deep.equal([]);
    });

    it('goes on at another process when its own dies, order kept', async () => {
      await started({ minWorkers: 2, maxWorkers: 2 });
      const client = rig.client();
      const first = rejection(client.run(1, { affinity: 'a' }));
      const rest = [2, 3].map(value => client.run(value, { affinity: 'a' }));
      const worker = await rig.host.worker(1);
      worker.begun = (await worker.call(1)).id;
      worker.die({ signal: 'SIGKILL' });
      await first;
      const second = await rig.host.worker(2);
      second.reply(await second.call(2));
      second.reply(await second.call(3));
      expect(await Promise.all(rest)).to.deep.equal([2, 3]);
    });

    it('is not held up by one that gives up waiting', async () => {
      await started({ prefetch: 0 });
      const client = rig.client();
      const control = new AbortController();
      const first = client.run(1, { affinity: 'a' });
      const aborted = rejection(client.run(2, { affinity: 'a', signal: control.signal }));
      const last = client.run(3, { affinity: 'a' });
      control.abort();
      await aborted;
      const worker = await rig.host.worker(1);
      worker.reply(await worker.call(1));
      worker.reply(await worker.call(3));
      expect(await Promise.all([first, last])).to.deep.equal([1, 3]);
    });

    it('lets others have their turn at a process that many lanes live on', async () => {
      await started({ prefetch: 0 });
      const client = rig.client();
      const calls: Promise<unknown>[] = [];
      for (const lane of ['a', 'b', 'c']) for (let i = 0; i < 3; i++) calls.push(client.run(`${lane}${i}`, { affinity: lane }));
      calls.push(client.run('free'));
      const worker = await rig.host.worker(1);
      const order: unknown[] = [];
      for (let i = 0; i < 10; i++) {
        const call = await worker.call();
        order.push(call.value);
        worker.reply(call);
      }
      await Promise.all(calls);
      expect(order.indexOf('free')).to.be.lessThan(8);
    });
  });
});
