import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { atEnd, spawnScript } from '../../../kit/index.js';

const MAIN = new URL('../../../fixtures/start/restricted.main.js', import.meta.url);
const NOTHING = { read: 'ERR_ACCESS_DENIED', execute: 'ERR_ACCESS_DENIED', scopes: '', permissions: 'undefined' };

const known = process.allowedNodeEnvironmentFlags;
const ON = known.has('--permission') ? '--permission' : '--experimental-permission';
/** All that this Node can grant; the files as wildcards. */
const ALLOW = [...known].filter(flag => flag.startsWith('--allow-')).map(flag => (flag.startsWith('--allow-fs-') ? `${flag}=*` : flag));
const EVERYTHING = [ON, ...ALLOW];

describe('a worker with permissions: {} whose master was granted more, in each way', function () {
  const masters: Readonly<Record<string, { readonly execArgv?: readonly string[]; readonly options?: string }>> = {
    'by nothing': {},
    'by flags': { execArgv: EVERYTHING },
    'by NODE_OPTIONS': { options: EVERYTHING.join(' ') },
    'by both': { execArgv: EVERYTHING, options: EVERYTHING.join(' ') },
    ...(known.has('--permission-audit') && {
      'by a model that only warns': { execArgv: ['--permission-audit'] },
      'by a model that only warns, in NODE_OPTIONS': { options: '--permission-audit' },
    }),
  };
  for (const [how, { execArgv = [], options }] of Object.entries(masters)) {
    it(`may do nothing all the same: ${how}`, async () => {
      const master = spawnScript(MAIN, [], { execArgv, env: { NODE_OPTIONS: options } });
      expect(JSON.parse(await master.line('', { within: '30s' }))).to.deep.equal(NOTHING);
      await master.exit({ within: '20s' });
    });
  }

  it('starts where the folders that it may read have no parent in common, wherever the master was started', async () => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'packet-ts-spec-')));
    atEnd(() => rmSync(folder, { recursive: true }));
    for (const cwd of ['/', tmpdir(), folder, process.cwd()]) {
      const master = spawnScript(MAIN, [], { cwd, env: { READ: folder } });
      expect(JSON.parse(await master.line('', { within: '30s' })), `started in ${cwd}`).to.deep.equal(NOTHING);
      await master.exit({ within: '20s' });
    }
  });
});
