import { expect } from 'chai';
import { OutputLimiter } from '../../../src/workers/process/log-limiter.js';

describe('a quota', () => {
  it('lets a burst through, then so many a second, and says how many it held back', () => {
    const quota = new OutputLimiter(3, 10);
    const taken = (now: number): unknown => quota.take(now) ?? 'held back';
    expect([0, 0, 0, 0, 50, 99].map(taken)).to.deep.equal([0, 0, 0, 'held back', 'held back', 'held back']);
    expect([100, 100, 200].map(taken)).to.deep.equal([3, 'held back', 1]);
  });

  it('is whole again after a rest, and no more than whole', () => {
    const quota = new OutputLimiter(2, 1);
    expect([0, 0, 60_000, 60_000, 60_000].map(now => quota.take(now))).to.deep.equal([0, 0, 0, 0, undefined]);
  });
});
