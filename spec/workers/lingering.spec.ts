import { expect } from 'chai';
import { Kind } from '../../src/wire/link/protocol.js';
import type { FakeWorker, Heard } from './support/fake-host.js';
import { rejection, Rig } from './support/rig.js';

const GRACE = 5_000;
const QUARTER = GRACE / 4;

describe('a task that does not end although its caller gave up', () => {
  let rig: Rig;
  const started = async (...given: ConstructorParameters<typeof Rig>): Promise<Rig> => (rig = await Rig.started(...given));
  /** A call that is given up while its process works on it. */
  const abandoned = async (number = 1): Promise<[FakeWorker, Heard]> => {
    const control = new AbortController();
    const rejected = rejection(rig.client().run('hangs', { signal: control.signal }));
    const worker = await rig.host.worker(number);
    const call = await worker.call('hangs');
    control.abort();
    await rejected;
    return [worker, call];
  };

  afterEach(async () => {
    await rig.close();
    expect(rig.clock.pending, 'timers left').to.equal(0);
  });

  it('holds up a call behind it for a quarter of cancelGrace and one start, not for all of the grace and a start', async () => {
    await started({ cancelGrace: GRACE });
    const [old] = await abandoned();
    const answer = rig.client().run('next');
    await rig.clock.advance(QUARTER - 1);
    expect(rig.host.workers).to.have.length(1);
    await rig.clock.advance(1);
    expect(rig.host.workers).to.have.length(2);
    const fresh = await rig.host.worker(2);
    fresh.reply(await fresh.call('next'));
    expect(await answer).to.equal('next');
    expect(old.signals, 'it keeps its grace').to.deep.equal([]);
    await rig.clock.advance(GRACE - QUARTER);
    expect(old.signals).to.deep.equal(['SIGKILL']);
    expect(rig.workforce.status().map(({ pid }) => pid)).to.deep.equal([fresh.pid]);
  });

  it('gets a replacement for a call that comes later, too', async () => {
    await started({ cancelGrace: GRACE });
    await abandoned();
    await rig.clock.advance(2 * QUARTER);
    expect(rig.host.workers).to.have.length(1);
    const answer = rig.client().run('late');
    const fresh = await rig.host.worker(2);
    fresh.reply(await fresh.call('late'));
    expect(await answer).to.equal('late');
  });

  it('costs no start where no call waits meanwhile', async () => {
    await started({ cancelGrace: GRACE });
    const [worker, call] = await abandoned();
    await rig.clock.advance(3 * QUARTER);
    worker.fail(call, new Error('aborted'));
    await rig.settle();
    const answer = rig.client().run('next');
    worker.reply(await worker.call('next'));
    expect(await answer).to.equal('next');
    await rig.clock.advance(GRACE);
    expect(rig.host.workers).to.have.length(1);
    expect(worker.signals).to.deep.equal([]);
  });

  it('that ends while its replacement starts ends with its process in peace', async () => {
    await started({ cancelGrace: GRACE });
    const [worker, call] = await abandoned();
    const answer = rig.client().run('next');
    await rig.clock.advance(QUARTER);
    worker.fail(call, new Error('aborted'));
    const fresh = await rig.host.worker(2);
    const taker = await Promise.race([
      worker.call('next').then(heard => [worker, heard] as const),
      fresh.call('next').then(heard => [fresh, heard] as const),
    ]);
    taker[0].reply(taker[1]);
    expect(await answer).to.equal('next');
    await rig.clock.advance(GRACE);
    expect(rig.workforce.status()).to.have.length(1);
  });

  it('is replaced once, though several hang: the others only while calls wait', async () => {
    await started({ cancelGrace: GRACE, minWorkers: 2, maxWorkers: 2 });
    await abandoned(1);
    await abandoned(2);
    const answer = rig.client().run('next');
    await rig.clock.advance(QUARTER);
    const fresh = await rig.host.worker(3);
    fresh.reply(await fresh.call('next'));
    expect(await answer).to.equal('next');
    await rig.clock.advance(QUARTER);
    expect(rig.host.workers).to.have.length(3);
  });

  it('is heard where it shares its process with others: those finish there', async () => {
    await started({ cancelGrace: GRACE, concurrency: 2 });
    const neighbour = rig.client().run('neighbour');
    const worker = await rig.host.worker(1);
    const beside = await worker.call('neighbour');
    await abandoned();
    const answer = rig.client().run('next');
    await rig.clock.advance(QUARTER);
    const fresh = await rig.host.worker(2);
    fresh.reply(await fresh.call('next'));
    expect(await answer).to.equal('next');
    worker.reply(beside);
    expect(await neighbour).to.equal('neighbour');
    expect(worker.heard.map(({ kind }) => kind)).to.not.include(Kind.STOP);
  });
});
