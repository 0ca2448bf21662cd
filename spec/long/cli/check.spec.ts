import { fileURLToPath } from 'node:url';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { fixture, outcomeOf } from '../../cli/kit.js';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

describe('packet-ts check', function () {
  it('ends with 0 and says so where there is no mistake', async () => {
    expect(await outcomeOf(['check', fixture('echo.module.js')])).to.deep.equal({ code: 0, out: 'echo.module.js: no mistakes\n', err: '' });
  });

  it('tells all mistakes at once, each with its remedy, and starts nothing', async () => {
    const { code, out, err } = await outcomeOf(['check', fixture('loud.module.js')]);
    expect(code).to.equal(1);
    expect(out).to.match(/^loud\.module\.js: 2 mistakes\n/);
    expect(out).to.include('there is no port 99999');
    expect(out).to.include('Nowhere.constructor, parameter 2');
    expect(out.split('\n').filter(line => line.startsWith('      '))).to.have.length(2);
    expect(out + err).not.to.include('started');
  });

  it('reads a module that calls bootstrap() itself, with the options given there, and does not start it', async () => {
    const { code, out, err } = await outcomeOf(['check', fixture('starts-itself.js')]);
    expect({ code, out, err }).to.deep.equal({ code: 0, out: 'starts-itself.js: no mistakes\n', err: '' });
  });

  it('asks which of several modules is meant', async () => {
    const { code, err } = await outcomeOf(['check', fixture('two.modules.js')]);
    expect(code).to.equal(1);
    expect(err).to.include('exports several modules: say which with --export First or --export Second');
    expect((await outcomeOf(['check', fixture('two.modules.js'), '--export', 'Second'])).code).to.equal(0);
  });

  it('compiles TypeScript on the fly where a loader is installed', async () => {
    const { code, out } = await outcomeOf(['check', join(ROOT, 'spec/fixtures/cli/echo.module.ts')]);
    expect({ code, out }).to.deep.equal({ code: 0, out: 'echo.module.ts: no mistakes\n' });
  });

  it('says what to install where no loader is there', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'packet-cli-'));
    try {
      writeFileSync(join(folder, 'app.ts'), '@Module() export class App {}');
      const { code, err } = await outcomeOf(['check', join(folder, 'app.ts')]);
      expect(code).to.be.oneOf([1, 2]);
      expect(err).to.include('npm install --save-dev tsx');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('shows what a module throws when it is imported', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'packet-cli-'));
    try {
      writeFileSync(join(folder, 'app.mjs'), `throw new RangeError('no database');`);
      const { code, err } = await outcomeOf(['check', join(folder, 'app.mjs')]);
      expect(code).to.equal(1);
      expect(err).to.include('RangeError: no database');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('shows the file and the line of a mistake in the text of whatever is imported', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'packet-cli-'));
    try {
      writeFileSync(join(folder, 'app.mjs'), `import './other.mjs';`);
      writeFileSync(join(folder, 'other.mjs'), `\nlet x = ;`);
      const { code, err } = await outcomeOf(['check', join(folder, 'app.mjs')]);
      expect(code).to.equal(1);
      expect(err).to.include('app.mjs: SyntaxError: Unexpected token').and.include('other.mjs:2\nlet x = ;');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('says why a module never ends to be imported', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'packet-cli-'));
    try {
      writeFileSync(join(folder, 'app.mjs'), `await new Promise(() => {});`);
      const { code, err } = await outcomeOf(['check', join(folder, 'app.mjs')]);
      expect(code).to.equal(13);
      expect(err).to.include('app.mjs: it awaits something at its top level that nothing will settle');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
