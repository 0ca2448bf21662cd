import { expect } from 'chai';
import { Kind } from '../../src/wire/link/protocol.js';
import { Owner } from '../../src/workers/call/owner.js';
import type { FakeWorker, Heard } from './support/fake-host.js';
import { Rig } from './support/rig.js';

const WAITING = 10_000;
/** What each call costs its process, in ms of a clock that is moved by hand: the figures below are exact. */
const WORK = 4;

const median = (list: readonly number[]): number => list.toSorted((a, b) => a - b)[list.length >> 1]!;

for (const maxWorkers of [1, 2]) {
  describe(`a connection with ${WAITING} calls waiting, ${maxWorkers} process${maxWorkers > 1 ? 'es' : ''}`, function () {
    it('raises the median latency of another client to no more than twice its quiet value, and the other is never refused', async () => {
      const busyUntil = new Map<FakeWorker, number>();
      const work = (worker: FakeWorker, call: Heard): void => {
        const now = rig.clock.now();
        const until = Math.max(now, busyUntil.get(worker) ?? 0) + WORK;
        busyUntil.set(worker, until);
        // Its answer says how long it took, like a real one's.
        rig.clock.after(until - now, () => worker.link.sendValue(Kind.REPLY, call.id, WORK * 1000, call.value));
      };
      const rig: Rig = new Rig(
        { minWorkers: maxWorkers, maxWorkers, maxQueue: 2 * WAITING, maxQueuePerCaller: WAITING },
        { call: (worker, call) => work(worker, call) },
      );
      await rig.start();
      const flooding = rig.client(new Owner('connection', 'flooding'));
      const other = rig.client(new Owner('connection', 'other'));

      const asks = async (): Promise<number> => {
        const times: number[] = [];
        for (let i = 0; i < 51; i++) {
          const from = rig.clock.now();
          let answered: number | undefined;
          void other.run(i).then(() => (answered = rig.clock.now()));
          while (answered === undefined) await rig.clock.advance(1);
          times.push(answered - from);
          // People think before they ask again: not always at the same moment of the others' work.
          await rig.clock.advance(i % WORK);
        }
        return median(times);
      };

      const quiet = await asks();
      let refused = 0;
      for (let i = 0; i < WAITING + maxWorkers; i++) flooding.run(i).catch(() => refused++);
      await rig.settle();
      const crowded = await asks();
      expect(refused).to.equal(0);
      expect(rig.workforce.calls, 'the flood still waits').to.be.greaterThan(WAITING - 1000);
      expect(quiet).to.be.at.least(WORK);
      expect(crowded, `${crowded} ms, quiet ${quiet} ms`).to.be.at.most(2 * quiet);
      await rig.close();
    });
  });
}
