import { expect } from 'chai';
import { StallWatch } from '../../../src/endpoints/net/stall-watch.js';
import { turns } from '../../kit/signals.js';

/** A connection whose numbers a test sets, and a timer that it fires. */
class Fake {
  bytesWritten = 0;
  held: number | undefined = 1_000;
  stalled = 0;
  readonly delays: number[] = [];
  readonly ages: number[] = [];
  readonly watch: StallWatch;

  constructor(hidden = true) {
    const unacknowledged = (maxAge: number): Promise<number | undefined> => {
      this.ages.push(maxAge);
      return Promise.resolve(this.held);
    };
    const source = Object.defineProperty({ bytesWritten: 0, ...(hidden && { unacknowledged }) }, 'bytesWritten', {
      get: () => this.bytesWritten,
    });
    this.watch = new StallWatch(
      source,
      { set: delay => this.delays.push(delay) },
      () => 100,
      () => this.stalled++,
    );
    this.watch.start();
  }

  /** The timer expires so many times, and what that asks the system for is answered. */
  async expire(times = 1): Promise<number> {
    for (let i = 0; i < times; i++) {
      this.watch.onExpired();
      await turns(1);
    }
    return this.stalled;
  }
}

describe('a stall watch', () => {
  it('tells of a peer that has acknowledged nothing within the limit', async () => {
    const fake = new Fake();
    expect(await fake.expire()).to.equal(0);
    expect(await fake.expire()).to.equal(1);
    expect(fake.delays).to.deep.equal([10, 90]);
    expect(fake.ages, 'an older measure would be of the time before, or the one it is compared to').to.deep.equal([10, 10]);
  });

  it('starts anew whenever the peer has acknowledged something', async () => {
    const fake = new Fake();
    await fake.expire();
    for (let i = 0; i < 5; i++) {
      fake.held! -= 1;
      expect(await fake.expire()).to.equal(0);
    }
    expect(await fake.expire()).to.equal(1);
  });

  it('starts anew when the system has taken something', async () => {
    const fake = new Fake();
    await fake.expire();
    fake.bytesWritten = 1;
    expect(await fake.expire(2)).to.equal(0);
    expect(await fake.expire()).to.equal(1);
  });

  it('gives a peer three limits where the system does not tell', async () => {
    const fake = new Fake();
    fake.held = undefined;
    expect(await fake.expire(3)).to.equal(0);
    expect(await fake.expire()).to.equal(1);
  });

  it('measures nothing where the bytes taken show every step', async () => {
    const fake = new Fake(false);
    expect(await fake.expire()).to.equal(1);
    expect(fake.delays).to.deep.equal([100]);
  });

  it('drops a measure that was asked for before it was stopped', async () => {
    const fake = new Fake();
    await fake.expire();
    fake.watch.onExpired();
    fake.watch.stop();
    await turns(2);
    expect(fake.stalled).to.equal(0);
  });
});
