import { expect } from 'chai';
import { spawnScript } from '../../kit/index.js';

describe('a program whose worker stands in the file that looks at the command line', function () {
  it('is told that the file was imported in the process of the worker, and what that said', async () => {
    const script = spawnScript(new URL('../support/argv.main.js', import.meta.url), ['21']);
    await script.exit({ within: '50s' });
    expect(script.stdout.text).to.match(/ended before it was ready \(exit code 2\): usage: argv\.main\.js NUMBER/);
    expect(script.stdout.text).to.include('The module of the worker is imported in its process');
  });
});
