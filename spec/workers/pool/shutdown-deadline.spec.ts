import { expect } from 'chai';
import { FakeClock } from '../../../src/testing/fake-clock.js';
import { ShutdownDeadline } from '../../../src/workers/pool/shutdown-deadline.js';

describe('patience', () => {
  it('has no end unless it is given one', async () => {
    const patience = new ShutdownDeadline(new FakeClock());
    patience.shorten(0);
    expect(patience.remaining).to.equal(Infinity);
    await patience.within(Promise.resolve());
  });

  it('is brought forward, never put off, and ends for those who wait already', async () => {
    const clock = new FakeClock();
    const patience = new ShutdownDeadline(clock);
    let over = false;
    const waiting = patience.within(new Promise(() => {})).then(() => (over = true));
    patience.shorten(1000);
    patience.shorten(300);
    patience.shorten(5000);
    expect(patience.remaining).to.equal(300);
    await clock.advance(299);
    expect(over).to.equal(false);
    await clock.advance(1);
    await waiting;
    expect(patience.remaining).to.equal(1);
    expect(clock.pending).to.equal(0);
  });

  it('leaves no timer when it is stopped', () => {
    const clock = new FakeClock();
    const patience = new ShutdownDeadline(clock);
    patience.shorten(1000);
    patience.stop();
    expect(clock.pending).to.equal(0);
  });
});
