import { expect } from 'chai';
import { UsageError } from '../../../src/errors.js';
import type { Pool } from '../../../src/workers/pool/pool.js';
import { scale } from '../../../src/workers/pool/scale.js';

/** A pool with so many ready processes, and a journal of what it is told. */
function poolOf(ready: number): { pool: Pool; told: string[]; settings: object } {
  const told: string[] = [];
  const settings = { minWorkers: 1, maxWorkers: 1, concurrency: 2 };
  const processSet = {
    ready: Array.from({ length: ready }, (_, i) => ({ drain: () => void told.push(`drain ${i}`) })),
    grow: () => void told.push('grow'),
  };
  return { pool: { worker: { settings }, processSet } as unknown as Pool, told, settings };
}

describe('scaling a pool', () => {
  it('has the youngest finish and go where there are too many, and starts those that are missing', () => {
    const { pool, told, settings } = poolOf(4);
    scale(pool, 1, 2);
    expect(told).to.deep.equal(['drain 2', 'drain 3', 'grow']);
    expect(settings).to.deep.equal({ minWorkers: 1, maxWorkers: 2, concurrency: 2 });
  });

  it('lets all stay where there are not too many', () => {
    for (const most of [4, 5, 10_000]) {
      const { pool, told } = poolOf(4);
      scale(pool, 4, most);
      expect(told).to.deep.equal(['grow']);
    }
  });

  it('refuses what are no such numbers, and changes nothing then', () => {
    const wrong = [
      [-1, 1],
      [0, 0],
      [3, 2],
      [0.5, 1],
      [1, 1.5],
      [1, 10_001],
    ] as const;
    for (const [min, max] of wrong) {
      const { pool, told, settings } = poolOf(1);
      expect(() => scale(pool, min, max), `${min} and ${max}`).to.throw(UsageError, `not ${min} and ${max}`);
      expect([told, settings]).to.deep.equal([[], { minWorkers: 1, maxWorkers: 1, concurrency: 2 }]);
    }
    scale(poolOf(1).pool, 0, 1);
  });
});
