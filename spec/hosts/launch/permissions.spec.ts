import { expect } from 'chai';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkOwnGrants, foldersToLoad, grantedScopes, permissionFlags } from '../../../src/hosts/launch/permissions.js';

describe('permissions of a worker process', () => {
  let root: string;
  beforeEach(() => void (root = realpathSync(mkdtempSync(join(tmpdir(), 'packet-ts-spec-')))));
  afterEach(() => rmSync(root, { recursive: true }));

  it('let Node read the package of a file and the folders its imports are found in, also behind links', () => {
    for (const folder of ['app/dist/workers', 'app/node_modules', 'store/dep']) mkdirSync(join(root, folder), { recursive: true });
    writeFileSync(join(root, 'app/package.json'), '{}');
    writeFileSync(join(root, 'app/dist/workers/a.js'), '');
    symlinkSync(join(root, 'store'), join(root, 'node_modules'));
    const folders = foldersToLoad(join(root, 'app/dist/workers/a.js')).filter(folder => folder.startsWith(root));
    expect(folders).to.have.members([join(root, 'app'), join(root, 'app/node_modules'), join(root, 'node_modules'), join(root, 'store')]);
  });

  it('are flags of this Node, nothing allowed that is not said', () => {
    writeFileSync(join(root, 'a.js'), '');
    const flags = permissionFlags({ read: ['/etc/hostname'], write: ['/tmp/out'], workerThreads: true }, [join(root, 'a.js')], undefined);
    expect(flags[0]).to.match(/^--(experimental-)?permission$/);
    expect(flags).to.include.members([
      `--allow-fs-read=${root}`,
      '--allow-fs-read=/etc/hostname',
      '--allow-fs-write=/tmp/out',
      '--allow-worker',
    ]);
    expect(flags).not.to.include('--allow-child-process').and.not.to.include('--allow-addons');
  });

  it('refuse what the worker itself is started with where that contradicts them, and let through what they have no word for', () => {
    expect(() => checkOwnGrants(['--allow-fs-read=*'])).to.throw(/--allow-fs-read; write permissions: \{ read \}/);
    expect(() => checkOwnGrants(['--permission-audit'])).to.throw(/--permission-audit, which would switch them off/);
    expect(() => checkOwnGrants(['--no-permission'])).to.throw(/switch them off/);
    expect(() => checkOwnGrants(['--allow-wasi', '--import', 'tsx'])).not.to.throw();
  });

  it('are told to the process as the scopes that it will be asked about', () => {
    expect(grantedScopes({}, ['--permission', '--allow-fs-read=/srv', '--allow-net', '--allow-child-process'])).to.deep.equal([
      'net',
      'child',
    ]);
    expect(grantedScopes({ read: ['/'], write: ['/tmp/*'] }, [])).to.deep.equal(['fs.read']);
  });
});
