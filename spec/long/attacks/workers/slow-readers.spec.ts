import { expect } from 'chai';
import { spawnScript } from '../../../kit/index.js';

const MAIN = new URL('../../../fixtures/start/slow-master.main.js', import.meta.url);
const MB = 1024 * 1024;

describe('a master with a heap of 96 MB whose handlers take their time', function () {
  this.timeout(120_000);

  it('outlives items, events, messages and chunks of any size that a worker has credit for, and loses none', async () => {
    const script = spawnScript(MAIN, [], { execArgv: ['--max-old-space-size=96'] });
    const { seen, answered, peak, most } = JSON.parse(await script.line(/^\{"seen/, { within: '100s' })) as {
      seen: Record<string, number>;
      answered: number;
      peak: number;
      most: number;
    };
    // 4 calls with 16 values each of 100 KB: 6 MB as bytes, and 256 MB decoded.
    expect(seen).to.include({ items: 64, messages: 40 });
    expect(seen['events']).to.be.at.least(1);
    expect(answered).to.be.at.least(64 * 4);
    expect(peak, 'bytes of RSS').to.be.lessThan(300 * MB);
    expect(most, 'bytes of heap in the worker').to.be.lessThan(100 * MB);
    expect(await script.exit()).to.deep.equal({ code: 0, signal: null });
  });
});
