import { expect } from 'chai';
import { TimerHeap } from '../../../src/timing/timer-heap.js';
import { ConnectionDeadlines, DRAIN, FIRST, GRACE, IDLE, MESSAGE } from '../../../src/session/timeouts/deadlines.js';
import { FakeClock } from '../../../src/testing/fake-clock.js';

describe('deadlines', () => {
  let clock: FakeClock;
  let deadlines: ConnectionDeadlines;
  const expired: string[] = [];
  beforeEach(() => {
    clock = new FakeClock();
    expired.length = 0;
    deadlines = new ConnectionDeadlines(clock, new TimerHeap(clock), { onExpired: name => expired.push(`${name} ${clock.now()}`) });
  });

  it('expire once, at their time', async () => {
    deadlines.set(FIRST, 30);
    deadlines.set(DRAIN, 10);
    deadlines.set(GRACE, 20);
    await clock.advance(100);
    expect(expired).to.deep.equal(['drainTimeout 10', 'halfCloseGrace 20', 'firstMessageTimeout 30']);
  });

  it('moved later costs no timer: the alarm comes and looks again', async () => {
    deadlines.set(IDLE, 10);
    for (let i = 0; i < 5; i++) {
      await clock.advance(8);
      deadlines.set(IDLE, 10);
      expect(clock.pending).to.equal(1);
    }
    expect(expired).to.deep.equal([]);
    await clock.advance(10);
    expect(expired).to.deep.equal(['idleTimeout 50']);
  });

  it('of messages and silence stand still and go on with what remained', async () => {
    deadlines.set(MESSAGE, 10);
    deadlines.set(GRACE, 100);
    await clock.advance(4);
    deadlines.setStandstill(true);
    deadlines.setStandstill(true);
    await clock.advance(50);
    deadlines.setStandstill(false);
    await clock.advance(5);
    expect(expired).to.deep.equal([]);
    await clock.advance(1);
    expect(expired).to.deep.equal(['messageTimeout 60']);
    await clock.advance(100);
    expect(expired).to.deep.equal(['messageTimeout 60', 'halfCloseGrace 100']);
  });

  it('set while they stand still, they begin when they run again', async () => {
    deadlines.setStandstill(true);
    deadlines.set(IDLE, 10);
    await clock.advance(100);
    deadlines.setStandstill(false);
    await clock.advance(9);
    expect(expired).to.deep.equal([]);
    await clock.advance(1);
    expect(expired).to.deep.equal(['idleTimeout 110']);
  });

  it('Infinity switches one off; hush() those that expect something of the peer; close() all', async () => {
    deadlines.set(DRAIN, 10);
    deadlines.set(DRAIN, Infinity);
    expect(deadlines.isSet(DRAIN)).to.equal(false);
    for (const each of [FIRST, MESSAGE, IDLE] as const) deadlines.set(each, 10);
    deadlines.clearPeerDeadlines();
    await clock.advance(20);
    deadlines.set(GRACE, 10);
    deadlines.close();
    expect(clock.pending).to.equal(0);
    await clock.advance(20);
    expect(expired).to.deep.equal([]);
  });
});
