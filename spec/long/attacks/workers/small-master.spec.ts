import { expect } from 'chai';
import { spawnScript } from '../../../kit/index.js';

const MAIN = new URL('../../../fixtures/start/small-master.main.js', import.meta.url);

describe('a master with a heap of 256 MB', function () {
  this.timeout(120_000);

  it('outlives every message that its workers may write, and answers others meanwhile', async () => {
    const script = spawnScript(MAIN, [], { execArgv: ['--max-old-space-size=256'] });
    const seen = JSON.parse(await script.line(/^\{"outcomes/, { within: '110s' })) as {
      outcomes: Record<string, string>;
      answered: number;
    };
    expect(Object.keys(seen.outcomes)).to.have.length(14);
    for (const [what, outcome] of Object.entries(seen.outcomes))
      expect(outcome, what).to.match(/^(answered|Worker(Crashed|Unavailable)Error|Error|BoundaryError|TypeError|MessageTooLargeError)$/);
    expect(seen.outcomes).to.include({
      'a status of empty objects': 'WorkerCrashedError',
      'an answer of empty arrays': 'WorkerCrashedError',
    });
    expect(seen.answered).to.equal(14 * 101);
    expect(await script.exit()).to.deep.equal({ code: 0, signal: null });
  });
});
