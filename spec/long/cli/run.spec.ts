import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { expect } from 'chai';
import { tcpClient } from '../../kit/index.js';
import { fixture, outcomeOf, packetTs, portOf } from '../../cli/kit.js';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

describe('packet-ts run', function () {
  for (const [what, file] of [
    ['starts the module that a file exports', fixture('echo.module.js')],
    ['runs a module that calls bootstrap() itself', fixture('starts-itself.js')],
    ['compiles TypeScript on the fly', join(ROOT, 'spec/fixtures/cli/echo.module.ts')],
  ] as const) {
    it(`${what}, hands on the arguments behind --, and closes on SIGTERM with 0`, async () => {
      const script = packetTs(['run', file, '--', '--color', 'red']);
      const client = await tcpClient(await portOf(script));
      await client.send('argv\n');
      expect(await client.line({ within: '10s' })).to.equal('--color red');
      script.kill('SIGTERM');
      expect(await script.exit()).to.deep.equal({ code: 0, signal: null });
      await client.destroy();
    });
  }

  it('tells the mistakes of an application, and ends with 1', async () => {
    const { code, err } = await outcomeOf(['run', fixture('loud.module.js')]);
    expect(code).to.equal(1);
    expect(err).to.include('2 mistakes').and.include('99999');
    expect(err).not.to.include('    at ');
  });

  it('ends with 1 where a file has no module', async () => {
    const { code, err } = await outcomeOf(['run', fixture('missing.js')]);
    expect(code).to.equal(1);
    expect(err).to.include('neither exports a class decorated with @Module nor calls bootstrap()');
  });
});
