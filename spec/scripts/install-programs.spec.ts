import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { readSources, ROOT } from '../../scripts/structure/read-sources.js';
import { findProgram } from '../kit/index.js';

const SCRIPT = join(ROOT, 'scripts/install-programs.sh');

describe('scripts/install-programs.sh', () => {
  let bin: string;
  beforeEach(() => {
    bin = mkdtempSync(join(tmpdir(), 'packet-'));
    for (const name of ['bash', 'sort', 'id', 'grep']) symlinkSync(findProgram(name)!, join(bin, name));
  });
  afterEach(() => rmSync(bin, { recursive: true }));

  /** What it says where only the programs of `bin` exist: nothing can be installed there. */
  function run(...args: readonly string[]): { status: number | null; said: string } {
    const { status, stdout, stderr } = spawnSync(join(bin, 'bash'), [SCRIPT, ...args], { env: { PATH: bin }, encoding: 'utf8' });
    return { status, said: stdout + stderr };
  }

  it('knows the package of every program that a spec needs', () => {
    const needed = [...readSources(['spec'])]
      .filter(([file]) => file.endsWith('.spec.ts'))
      .flatMap(([, text]) => [...text.matchAll(/needsProgram\(([^)]*)\)/g)])
      .flatMap(([, names]) => [...names!.matchAll(/'([^']+)'/g)].map(([, name]) => name!));
    expect(needed).to.include('socat');
    const known = [...readFileSync(SCRIPT, 'utf8').matchAll(/^ {2}\[([\w-]+)\]=/gm)].map(([, name]) => name!);
    expect(needed.filter(name => !known.includes(name))).to.deep.equal([]);
  });

  it('says nothing when all is there', () => {
    symlinkSync(process.execPath, join(bin, 'curl'));
    expect(run('curl')).to.deep.equal({ status: 0, said: '' });
  });

  it('where nothing can be installed, says which are missing and how they are had', () => {
    symlinkSync(process.execPath, join(bin, 'curl'));
    expect(run('wrk', 'curl', 'redis-cli', 'redis-benchmark')).to.deep.equal({
      status: 1,
      said: 'missing: wrk redis-cli redis-benchmark. On Debian, as root: apt-get install --no-install-recommends redis-tools wrk\n',
    });
  });

  it('refuses a program that it does not know', () => {
    expect(run('no-such-program').status).to.equal(2);
  });
});
