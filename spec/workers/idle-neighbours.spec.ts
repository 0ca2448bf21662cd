import { expect } from 'chai';
import type { FakeWorker } from './support/fake-host.js';
import { rejection, Rig } from './support/rig.js';

/** Longer than a busy process is given past the deadline, shorter than an idle one is. */
const STOPS_AFTER = 300;

describe('the idle neighbours of a process that spins while its application closes', () => {
  let rig: Rig;
  const stopped: FakeWorker[] = [];

  it('have time for their @OnStop past the deadline: only the one that spins is killed', async () => {
    const stop = (worker: FakeWorker): void => {
      stopped.push(worker);
      rig.clock.after(STOPS_AFTER, () => worker.die());
    };
    rig = await Rig.started({ minWorkers: 3, maxWorkers: 3 }, { stop });
    const lost = rejection(rig.client().run('spins'));
    const [spinning, ...idle] = await Promise.all([1, 2, 3].map(number => rig.host.worker(number)));
    await spinning!.call('spins');
    const closing = rig.workforce.close(1000);
    await rig.clock.advance(1000);
    await rig.settle();
    expect(spinning!.signals).to.deep.equal(['SIGKILL']);
    expect(stopped).to.have.members(idle);
    await rig.clock.advance(STOPS_AFTER);
    expect(await closing).to.deep.equal({ calls: 1, pids: [spinning!.pid] });
    expect(await lost).to.include({ reason: 'stop' });
    for (const worker of idle) expect(worker.signals).to.deep.equal([]);
    expect(rig.clock.pending, 'timers left').to.equal(0);
  });

  it('are killed when they take longer than half a second of that', async () => {
    rig = await Rig.started({ minWorkers: 2, maxWorkers: 2 }, { stop: () => {} });
    const lost = rejection(rig.client().run('spins'));
    const [spinning, idle] = await Promise.all([1, 2].map(number => rig.host.worker(number)));
    await spinning!.call('spins');
    const closing = rig.workforce.close(1000);
    await rig.clock.advance(1000);
    await rig.settle();
    expect(idle!.signals).to.deep.equal([]);
    await rig.clock.advance(500);
    expect(idle!.signals).to.deep.equal(['SIGKILL']);
    await closing;
    await lost;
    expect(rig.clock.pending, 'timers left').to.equal(0);
  });
});
