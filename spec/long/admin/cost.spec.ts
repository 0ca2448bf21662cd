import { expect } from 'chai';
import { spawnScript } from '../../kit/index.js';

const MAIN = new URL('../../fixtures/admin/page-cost.main.js', import.meta.url);

/** Milliseconds of a processor that an update may take. */
const MOST = 100;

describe('the page of an application with 200 processes and 10 000 connections', function () {
  this.timeout(120_000);

  it('takes less than 100 ms of the master for an update, whatever its visitor looks for', async () => {
    const script = spawnScript(MAIN);
    const { connections, processes, costs } = JSON.parse(await script.line(/^\{"connections/, { within: '100s' })) as {
      connections: number;
      processes: number;
      costs: Record<string, { first: number; middle: number; told: number }>;
    };
    expect({ connections, processes }).to.deep.equal({ connections: 10_000, processes: 200 });
    for (const [what, { middle, told }] of Object.entries(costs)) {
      expect(told, `${what}: something changed between two updates`).to.be.greaterThan(0);
      expect(middle, JSON.stringify(costs)).to.be.below(MOST);
    }
    expect((await script.exit({ within: '20s' })).code).to.equal(0);
  });
});
