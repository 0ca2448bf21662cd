import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { expect } from 'chai';
import { atEnd } from '../../kit/index.js';
import { Rig } from '../../workers/support/rig.js';

describe('the numbers that a monitor adds up over status()', () => {
  it('only grow when a process dies, and count calls that wait once', async () => {
    const rig = await Rig.started({ prefetch: 0, restart: { maxFailedStarts: 5, within: 1000, delay: 0, maxDelay: 0 } });
    const sums = (): { done: number; failed: number; queued: number } => {
      const sum = { done: 0, failed: 0, queued: 0 };
      const rows = rig.workforce.status();
      for (const row of rows) {
        sum.done += row.done;
        sum.failed += row.failed;
        sum.queued += row.queued;
      }
      for (const { pool } of rows) expect(pool).to.deep.equal(sum);
      return sum;
    };
    const client = rig.client();
    const first = await rig.host.worker(1);
    for (let i = 0; i < 3; i++) {
      const answer = client.run(i).catch(() => undefined);
      const call = await first.call();
      if (i < 2) first.reply(call);
      else first.fail(call, new Error('no'));
      await answer;
    }
    expect(sums()).to.deep.equal({ done: 2, failed: 1, queued: 0 });
    first.die({ signal: 'SIGKILL' });
    const second = await rig.host.worker(2);
    await rig.settle();
    expect(sums()).to.deep.equal({ done: 2, failed: 1, queued: 0 });
    const waiting = [1, 2, 3].map(i => client.run(i));
    const [call] = [await second.call()];
    expect(sums()).to.deep.equal({ done: 2, failed: 1, queued: 2 });
    second.reply(call);
    for (let i = 0; i < 2; i++) second.reply(await second.call());
    await Promise.all(waiting);
    expect(sums()).to.deep.equal({ done: 5, failed: 1, queued: 0 });
    let atExit: ReturnType<typeof sums> | undefined;
    const told = (): void => void (atExit = sums());
    subscribe('packet-ts:worker.exit', told);
    atEnd(() => unsubscribe('packet-ts:worker.exit', told));
    const broken = client.run(1).catch((error: Error) => error.name);
    second.begun = (await second.call()).id;
    second.die({ signal: 'SIGKILL' });
    expect(await broken).to.equal('WorkerCrashedError');
    expect(atExit, 'also for those who hear of the end').to.deep.equal({ done: 5, failed: 2, queued: 0 });
    expect(sums(), 'what it had begun has failed').to.deep.equal({ done: 5, failed: 2, queued: 0 });
    await rig.close();
  });
});
