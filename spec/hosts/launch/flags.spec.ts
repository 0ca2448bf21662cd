import { expect } from 'chai';
import {
  inheritedFlags,
  joinNodeOptions,
  limitFlags,
  rightsAmong,
  splitNodeOptions,
  withoutRights,
} from '../../../src/hosts/launch/flags.js';

describe('flags that a worker process inherits', () => {
  it('are loaders, conditions and source maps, with their values', () => {
    const flags = [
      '--import',
      'tsx',
      '-r',
      './setup.cjs',
      '--loader=x',
      '-C',
      'source',
      '--conditions=dev',
      '--enable-source-maps',
      '--expose-gc',
    ];
    expect(inheritedFlags(flags)).to.deep.equal(flags);
  });

  it('are not what the parent evaluates, tests, watches, profiles or is debugged through', () => {
    const own = [
      ['-e', 'main()'], ['-pe', '1'], ['--print', '1'], ['--input-type=module'], ['--test'], ['--test-reporter', 'tap'], ['--watch'], ['--watch-path', 'src'],
      ['--cpu-prof'], ['--cpu-prof-dir', 'x'], ['--heap-prof'], ['--prof'], ['--inspect'], ['--inspect-brk=0'], ['--inspect_port', '1'], ['--env-file', '.env'],
    ]; // prettier-ignore
    for (const flags of own)
      expect(inheritedFlags(['--import', 'a', ...flags, '-C', 'b']), flags.join(' ')).to.deep.equal(['--import', 'a', '-C', 'b']);
  });

  it('have everything left out that decides what a process may do, also flags of a Node that is still to come', () => {
    const rights = [
      ['--permission'], ['--experimental-permission'], ['--no-permission'], ['--permission-audit'], ['--no-permission-audit'],
      ['--allow-fs-read=*'], ['--allow_fs_write', '/'], ['--allow-child-process'], ['--allow-whatever-comes'], ['--experimental-config-file=a.json'],
      ['--experimental-default-config-file'],
    ]; // prettier-ignore
    for (const flags of rights) {
      expect(withoutRights(['--import', 'a', ...flags, '-C', 'b']), flags.join(' ')).to.deep.equal(['--import', 'a', '-C', 'b']);
      expect(rightsAmong(flags)).to.have.length(1);
    }
    expect(withoutRights(['--allow-natives-syntax', '--import=a'])).to.deep.equal(['--allow-natives-syntax', '--import=a']);
  });

  it('are read from NODE_OPTIONS with its quotes', () => {
    const text = '--import "./my loader.js" --max-old-space-size=10 "--conditions=a\\"b"';
    const words = ['--import', './my loader.js', '--max-old-space-size=10', '--conditions=a"b'];
    expect(splitNodeOptions(text)).to.deep.equal(words);
    expect(splitNodeOptions(joinNodeOptions(words))).to.deep.equal(words);
  });

  it('have resourceLimits added as V8 counts them', () => {
    expect(limitFlags({ maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 48, stackSizeMb: 2 })).to.deep.equal([
      '--max-old-space-size=64',
      '--max-semi-space-size=16',
      '--stack-size=2048',
    ]);
  });
});
