import { expect } from 'chai';
import { spawnScript } from '../kit/index.js';

const KILLS = 200;

describe('kill -9 at random moments under load', function () {
  this.timeout(600_000);

  it(`${KILLS} times: each call has its right answer, or WorkerCrashedError and its journal shows that it had begun; none runs twice, none hangs`, async function () {
    const script = spawnScript(new URL('../../scripts/stampede.js', import.meta.url), [String(KILLS)]);
    const { code } = await script.exit({ within: '9m' });
    const figures = JSON.parse(script.stdout.text.trim()) as Record<string, number>;
    this.test!.title += ` (${Object.entries(figures)
      .map(([name, figure]) => `${name} ${figure}`)
      .join(', ')})`;
    expect(script.stderr.text).to.equal('');
    expect(figures).to.include({ kills: KILLS, violations: 0, runTwice: 0 });
    expect(figures['answered']).to.be.greaterThan(KILLS * 10);
    expect(figures['crashed'], 'the kills did hit calls').to.be.greaterThan(0);
    expect(code).to.equal(0);
  });
});
