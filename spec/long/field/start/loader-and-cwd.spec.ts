import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { spawnScript } from '../../../kit/index.js';

const MAIN = new URL('../../../fixtures/start/where.main.js', import.meta.url);
const LOADER = ['--import', './first.mjs'];

describe('a loader, and a worker with a cwd of its own', function () {
  let folder: string;
  before(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'packet-ts-spec-')));
    mkdirSync(join(folder, 'elsewhere'));
    writeFileSync(join(folder, 'first.mjs'), "globalThis.loadedFirst = 'yes';");
  });
  after(() => rmSync(folder, { recursive: true }));

  const carriers: Readonly<Record<string, { readonly flags?: string[]; readonly env?: string; readonly options?: object }>> = {
    'flags of the master': { flags: LOADER },
    'NODE_OPTIONS of the master': { env: LOADER.join(' ') },
    'NODE_OPTIONS of the master, and an env of the worker': { env: LOADER.join(' '), options: { env: {} } },
    'NODE_OPTIONS of the worker': { options: { env: { NODE_OPTIONS: LOADER.join(' ') } } },
    'execArgv of the worker': { options: { execArgv: LOADER } },
  };
  for (const [carrier, { flags = [], env, options }] of Object.entries(carriers)) {
    it(`are both kept, the loader looked up from the folder of the master: ${carrier}`, async () => {
      const cwd = join(folder, 'elsewhere');
      const master = spawnScript(MAIN, [JSON.stringify({ cwd, ...options })], {
        cwd: folder,
        execArgv: flags,
        env: { NODE_OPTIONS: env },
      });
      expect(JSON.parse(await master.line('', { within: '20s' }))).to.deep.equal({ cwd, loaded: 'yes' });
      await master.exit({ within: '20s' });
    });
  }
});
