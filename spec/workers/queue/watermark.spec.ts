import { expect } from 'chai';
import { Watermark } from '../../../src/workers/queue/watermark.js';

describe('the drain gate', () => {
  it('closes at half of the queue and opens at a quarter, once per crossing', () => {
    const gate = new Watermark(100);
    const seen = [49, 50, 40, 26, 25, 49, 50].map(size => (gate.level(size), gate.closed));
    expect(seen).to.deep.equal([false, true, true, true, false, false, true]);
  });

  it('tells everyone who waits, and lets pass whoever comes while it is open', async () => {
    const gate = new Watermark(4);
    await gate.opened();
    gate.level(2);
    const waiting = [gate.opened(), gate.opened()];
    gate.level(1);
    await Promise.all(waiting);
  });

  it('works for the smallest queue, and for one without a limit', () => {
    const smallest = new Watermark(1);
    smallest.level(1);
    expect(smallest.closed).to.equal(true);
    smallest.level(0);
    expect(smallest.closed).to.equal(false);
    const unlimited = new Watermark(0);
    unlimited.level(4999);
    expect(unlimited.closed).to.equal(false);
    unlimited.level(5000);
    expect(unlimited.closed).to.equal(true);
  });
});
