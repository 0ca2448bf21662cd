import { expect } from 'chai';
import { isDue, type Aging } from '../../../src/workers/pool/recycling.js';

const quiet: Aging = { sent: 0, most: 100, age: 60_000, startTime: 100, processes: 1, jitter: 0 };
/** The call at which the replacement is started. */
const dueAt = (aging: Partial<Aging>): number => {
  const all = { ...quiet, ...aging };
  for (let sent = 1; sent <= all.most; sent++) if (isDue({ ...all, sent })) return sent;
  return Infinity;
};

describe('the moment at which a process is replaced for maxTasksPerWorker', () => {
  it('is shortly before its last call where calls come slowly, another one for each process', () => {
    expect(dueAt({})).to.equal(95);
    expect(dueAt({ jitter: 1 })).to.equal(90);
  });

  it('is the earlier the quicker calls come and the longer a start takes, but never in the first half of its life', () => {
    expect(dueAt({ age: 1_000, startTime: 150 })).to.be.within(75, 85);
    expect(dueAt({ age: 1_000, startTime: 300 })).to.be.lessThan(dueAt({ age: 1_000, startTime: 150 }));
    expect(dueAt({ age: 100, startTime: 3_000, processes: 8 })).to.equal(50);
  });

  it('is the last call itself where there are few of them', () => {
    expect(dueAt({ most: 3, age: 1 })).to.equal(Infinity);
  });
});
