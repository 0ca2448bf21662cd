import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { spawnScript } from '../../kit/index.js';

const MAIN = new URL('../../fixtures/start/restricted.main.js', import.meta.url);
const NOTHING = { read: 'ERR_ACCESS_DENIED', execute: 'ERR_ACCESS_DENIED', scopes: '', permissions: 'undefined' };

const known = process.allowedNodeEnvironmentFlags;
const ON = known.has('--permission') ? '--permission' : '--experimental-permission';
/** All that this Node can grant; the files as wildcards. */
const ALLOW = [...known].filter(flag => flag.startsWith('--allow-')).map(flag => (flag.startsWith('--allow-fs-') ? `${flag}=*` : flag));
const EVERYTHING = [ON, ...ALLOW];

describe('a worker with permissions: {} whose master was granted more', function () {
  it('may do nothing all the same', async () => {
    const master = spawnScript(MAIN, [], { execArgv: EVERYTHING, env: { NODE_OPTIONS: EVERYTHING.join(' ') } });
    expect(JSON.parse(await master.line('', { within: '30s' }))).to.deep.equal(NOTHING);
    await master.exit({ within: '20s' });
  });

  it('does not start where whatever starts node grants it more: the process is asked itself', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'packet-ts-spec-'));
    try {
      const program = join(folder, 'node');
      writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' --allow-child-process "$@"\n`);
      chmodSync(program, 0o755);
      const master = spawnScript(MAIN, [program], { execArgv: [], env: { NODE_OPTIONS: undefined } });
      expect(await master.line('', { within: '30s' })).to.match(/may also use child, in spite of its permissions/);
      await master.exit({ within: '20s' });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
