import { expect } from 'chai';
import { WorkerBusyError } from 'packet-ts';
import { soon, waitFor } from '../../../kit/index.js';
import { Scene } from '../scene.js';

export const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
export const isSorted = (list: readonly number[]): boolean => list.every((each, i) => i === 0 || list[i - 1]! < each);

/** Cases 27 to 31, for inline workers and for processes. */
export function queueCases(where: 'process' | 'inline'): void {
  describe(`queue, back-pressure, fairness, ${where}`, function () {
    it('27. over `maxQueue` → rejection (never a sync throw), task never executed', async () => {
      const scene = await Scene.open({ where, prefetch: 0, maxQueue: 5 });
      const held = await scene.hold();
      const calls = numbers(8).map(i => scene.note(i));
      const settled = Promise.allSettled(calls);
      expect(scene.queued).to.equal(5);
      held.release();
      const refused = (await settled).flatMap((result, i) => (result.status === 'rejected' ? [[i, result.reason as Error] as const] : []));
      expect(refused).to.have.length(3);
      for (const [i, error] of refused) {
        expect(error).to.be.instanceOf(WorkerBusyError).and.to.include({ limit: 'maxQueue', task: 'note' });
        expect(scene.journal).to.not.include(String(i));
      }
      expect(scene.journal).to.have.length(5);
    });

    it('28. needsDrain / drained tell of the queue, once per crossing, never lost: producers that await `drained` always finish', async () => {
      const scene = await Scene.open({ where, prefetch: 0, maxQueue: 40 });
      const { workers, worker } = scene;
      let done = 0;
      let waits = 0;
      const producers = numbers(4).map(async () => {
        for (let i = 0; i < 500; i++) {
          if (workers.needsDrain(worker)) {
            waits++;
            await workers.drained(worker);
          }
          void scene.client.echo(i).then(() => done++);
        }
      });
      await soon(Promise.all(producers), { within: '20s' });
      await waitFor(() => done === 2000, { within: '10s' });
      expect(waits).to.be.greaterThan(0);
      expect(workers.needsDrain(worker)).to.equal(false);
      // What waits at a process does not count, and where there is room nobody waits.
      const held = await scene.hold();
      expect(workers.needsDrain(worker)).to.equal(false);
      const queued = numbers(30).map(i => scene.client.echo(i));
      let told = 0;
      void workers.drained(worker).then(() => told++);
      expect(workers.needsDrain(worker)).to.equal(true);
      held.release();
      await Promise.all(queued);
      expect(told).to.equal(1);
    });

    it('29. FIFO under sustained load with 1 worker: nobody waits for more calls than were there before', async () => {
      const scene = await Scene.open({ where });
      let made = 0;
      const answered: number[] = [];
      await Promise.all(
        numbers(20).map(async () => {
          while (made < 2000) {
            const turn = made++;
            await scene.client.echo(turn);
            answered.push(turn);
          }
        }),
      );
      expect(answered).to.have.length.at.least(2000);
      expect(isSorted(answered), 'answered in the order in which they were made').to.equal(true);
    });

    it('31. one client flooding does not raise another client’s p99 beyond x2 (fair share): behind a flood of 2000 it has every second turn', async () => {
      const scene = await Scene.open({ where, prefetch: 0 });
      const held = await scene.hold();
      const flood = numbers(2000).map(i => scene.note(`flood ${i}`, { caller: 'flood' }));
      const quiet = numbers(50).map(i => scene.note(`quiet ${i}`, { caller: 'quiet' }));
      held.release();
      await Promise.all([...flood, ...quiet]);
      const turns = scene.journal.flatMap((line, turn) => (line.startsWith('quiet') ? [turn] : []));
      expect(turns).to.have.length(50);
      expect(turns[0]).to.be.at.most(1);
      for (const [i, turn] of turns.entries()) if (i > 0) expect(turn - turns[i - 1]!).to.be.at.most(2);
    });
  });
}
