import { build, stop } from 'esbuild';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { spawnScript } from '../../../kit/index.js';

const ROOT = fileURLToPath(new URL('../../../../../', import.meta.url));

describe('an application in one file', function () {
  let folder: string;
  let bundle: string;

  before(async () => {
    // Beside the sources, so that the packages left outside the bundle are found from there.
    folder = mkdtempSync(join(ROOT, 'dist/single-file-'));
    bundle = join(folder, 'app.mjs');
    await build({
      entryPoints: [join(ROOT, 'spec/fixtures/start/bundled.main.ts')],
      outfile: bundle,
      bundle: true,
      platform: 'node',
      format: 'esm',
      // The line that the README gives.
      banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
      tsconfigRaw: { compilerOptions: { experimentalDecorators: true } },
      logLevel: 'error',
    });
  });
  after(async () => {
    rmSync(folder, { recursive: true });
    await stop();
  });

  it('starts workers whose threads and children do not take themselves for that worker', async () => {
    const app = spawnScript(bundle, [], { execArgv: [] });
    expect(await app.line('', { within: '30s' })).to.equal('42');
    expect(await app.line('', { within: '30s' })).to.equal('a master of its own');
    expect(await app.exit({ within: '20s' })).to.deep.equal({ code: 0, signal: null });
  });

  it('is started once more at most where its program takes no flags, and says so in one error', async () => {
    const program = join(folder, 'single-executable');
    writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${bundle}'\n`);
    chmodSync(program, 0o755);
    const app = spawnScript(bundle, [program], { execArgv: [] });
    expect(await app.line('', { within: '30s' })).to.match(
      /^WorkerUnavailableError: .*cannot be started.*takes neither Node's flags nor a file to run/,
    );
    await app.exit({ within: '20s' });
    expect(app.stderr.text.match(/^started/gm)).to.have.length(1);
  });
});
