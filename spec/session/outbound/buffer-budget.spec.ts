import { expect } from 'chai';
import { BufferBudget, type Buffering } from '../../../src/session/outbound/buffer-budget.js';
import { SharedQueue } from '../../../src/session/outbound/shared-queue.js';

class Connection implements Buffering {
  budgeted = 0;
  evicted = 0;
  readonly queue: SharedQueue;

  constructor(budget: BufferBudget) {
    this.queue = new SharedQueue(budget);
  }

  get sharedBytes(): number {
    return this.queue.bytes;
  }

  evict(): void {
    this.evicted++;
    this.queue.releaseUpTo(Infinity);
  }
}

describe('what waits to be sent on all connections', () => {
  const connections = (budget: BufferBudget, count: number): Connection[] => Array.from({ length: count }, () => new Connection(budget));

  it('is counted as it grows and shrinks', () => {
    const budget = new BufferBudget(100);
    const [a, b] = connections(budget, 2) as [Connection, Connection];
    budget.count(a, 50);
    budget.count(b, 40);
    budget.count(a, 20);
    expect(budget.total).to.equal(60);
    for (const each of [a, b]) budget.count(each, 0);
    expect([budget.total, a.evicted, b.evicted]).to.deep.equal([0, 0, 0]);
  });

  it('beyond the limit the heaviest goes, be it the one that was counted or another', () => {
    const budget = new BufferBudget(100);
    const [a, b, c] = connections(budget, 3) as [Connection, Connection, Connection];
    budget.count(a, 60);
    budget.count(b, 30);
    budget.count(c, 20);
    expect([a.evicted, b.evicted, c.evicted, budget.total]).to.deep.equal([1, 0, 0, 50]);
    budget.count(c, 90);
    expect([a.evicted, b.evicted, c.evicted, budget.total]).to.deep.equal([1, 0, 1, 30]);
  });

  it('a shared message counts once, for as long as one connection has it to send', () => {
    const budget = new BufferBudget(100);
    const [a, b] = connections(budget, 2) as [Connection, Connection];
    const message = { bytes: 40, holders: 0 };
    for (const { queue } of [a, b]) queue.add(message, 40);
    expect(budget.total).to.equal(40);
    a.queue.releaseUpTo(39);
    b.queue.releaseUpTo(40);
    expect([budget.total, a.sharedBytes, b.sharedBytes]).to.deep.equal([40, 40, 0]);
    a.queue.releaseUpTo(40);
    expect(budget.total).to.equal(0);
  });

  it('where shared messages are too much, those with most of them go until enough is let go of', () => {
    const budget = new BufferBudget(100);
    const [slow, frozen] = connections(budget, 2) as [Connection, Connection];
    for (let end = 60; end <= 120; end += 60) {
      const message = { bytes: 60, holders: 0 };
      frozen.queue.add(message, end);
      if (end === 120) slow.queue.add(message, end);
      for (const each of [frozen, slow]) budget.count(each, 0);
    }
    expect([slow.evicted, frozen.evicted, budget.total]).to.deep.equal([0, 1, 60]);
  });

  it('off, evicts nothing', () => {
    const budget = new BufferBudget(Infinity);
    const [a] = connections(budget, 1) as [Connection];
    budget.count(a, 2 ** 40);
    expect(a.evicted).to.equal(0);
  });
});
