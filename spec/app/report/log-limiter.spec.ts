import { expect } from 'chai';
import { LogLimiter } from '../../../src/app/report/log-limiter.js';
import { FakeClock } from '../../../src/testing/fake-clock.js';

describe('the limiter of the log', () => {
  it('lets ten of a kind through, then one a second, and tells how many it left out', async () => {
    const clock = new FakeClock();
    const limiter = new LogLimiter(clock);
    const take = (kind: string): number | 'left out' => limiter.take(kind, () => {}) ?? 'left out';
    const first = Array.from({ length: 12 }, () => take('a'));
    expect(first).to.deep.equal([...Array.from({ length: 10 }, () => 0), 'left out', 'left out']);
    expect(take('b')).to.equal(0);
    await clock.advance('1s');
    expect([take('a'), take('a')]).to.deep.equal([2, 'left out']);
    limiter.close();
  });

  it('tells of what it left out ten seconds later at the latest, and at its end', async () => {
    const clock = new FakeClock();
    const limiter = new LogLimiter(clock);
    const told: [string, number][] = [];
    const flood = (kind: string): void => {
      for (let i = 0; i < 110; i++) limiter.take(kind, count => told.push([kind, count]));
    };
    flood('a');
    await clock.advance('10s');
    expect(told).to.deep.equal([['a', 100]]);
    expect(clock.pending).to.equal(0);
    flood('b');
    limiter.close();
    expect(told.at(-1)).to.deep.equal(['b', 100]);
    expect(clock.pending).to.equal(0);
  });

  it('knows a thousand kinds apart, and no more: names may come from peers', () => {
    const limiter = new LogLimiter(new FakeClock());
    let through = 0;
    for (let i = 0; i < 100_000; i++) if (limiter.take(`kind ${i}`, () => {}) !== undefined) through++;
    expect(through).to.equal(1000 + 10);
    limiter.close();
  });
});
