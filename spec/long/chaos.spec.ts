import { expect } from 'chai';
import { spawnScript } from '../kit/index.js';

describe('an application with every endpoint and two pools', function () {
  this.timeout(600_000);

  it('holds nothing more after a minute of chaos than before, has settled every call once, and exits with 0 at SIGTERM in its middle', async () => {
    // Its seed is in its output, and its second argument.
    const chaos = spawnScript(new URL('../../scripts/chaos.js', import.meta.url), ['1']);
    const { code } = await chaos.exit({ within: '9m' });
    expect(code, chaos.stdout.text).to.equal(0);
  });
});
