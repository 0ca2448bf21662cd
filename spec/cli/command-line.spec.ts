import { expect } from 'chai';
import { readArguments } from '../../src/cli/arguments.js';
import type { Command } from '../../src/cli/command.js';
import { COMMANDS } from '../../src/cli/commands.js';
import { suggestionFor } from '../../src/cli/suggest.js';
import { UsageError } from '../../src/errors.js';
import { outcomeOf } from './kit.js';

const SAMPLE: Command = {
  name: 'sample',
  usage: 'FILE [-- ARGUMENTS]',
  summary: '',
  details: '',
  options: { 'close-timeout': { type: 'string', value: 'DURATION', help: '' }, force: { type: 'boolean', short: 'f', help: '' } },
  positionals: [1, 1],
  takesRest: true,
  run: () => Promise.resolve(0),
};

describe('the command line', function () {
  it('lists its commands, and each has a help text with all its options', async () => {
    const { code, out } = await outcomeOf(['--help']);
    expect(code).to.equal(0);
    for (const { name, summary } of COMMANDS) expect(out).to.include(name).and.include(summary);
    const help = await outcomeOf(['run', '--help']);
    expect(help.code).to.equal(0);
    expect(help.out).to.include('--close-timeout DURATION').and.include('MODULE [-- ARGUMENTS]');
  });

  it('prints the version of the package', async () => {
    expect((await outcomeOf(['--version'])).out).to.match(/^\d+\.\d+\.\d+\n$/);
  });

  it('ends with 2 for a command that there is not, and names the one that was meant', async () => {
    const { code, err } = await outcomeOf(['chekc']);
    expect(code).to.equal(2);
    expect(err).to.include(`there is no command 'chekc'; did you mean 'check'?`);
    expect((await outcomeOf([])).code).to.equal(2);
  });

  it('ends with 2 for an option that there is not, and names the one that was meant', async () => {
    const { code, err } = await outcomeOf(['run', 'main.js', '--close-timout', '1s']);
    expect(code).to.equal(2);
    expect(err).to.include('there is no option --close-timout; did you mean --close-timeout?');
  });

  it('ends with 2 for a file that there is not', async () => {
    const { code, err } = await outcomeOf(['check', 'nowhere.js']);
    expect(code).to.equal(2);
    expect(err).to.include('there is no file nowhere.js');
  });
});

describe('readArguments', () => {
  it('takes options in any place, and leaves alone what stands behind --', () => {
    const read = readArguments(SAMPLE, ['-f', 'a.js', '--close-timeout=5s', '--', '--close-timeout', 'x']);
    expect(read).to.deep.equal({
      options: { force: true, 'close-timeout': '5s' },
      positionals: ['a.js'],
      rest: ['--close-timeout', 'x'],
    });
  });

  it('refuses values that are missing or not taken, and arguments that are too many or too few', () => {
    const message = (args: readonly string[]): string => {
      try {
        readArguments(SAMPLE, args);
      } catch (error) {
        expect(error).to.be.instanceOf(UsageError);
        return (error as Error).message;
      }
      return 'nothing was refused';
    };
    expect(message(['a.js', '--close-timeout'])).to.equal('--close-timeout takes a value: --close-timeout DURATION');
    expect(message(['a.js', '--force=yes'])).to.equal('--force takes no value');
    expect(message([])).to.equal('an argument is missing: FILE [-- ARGUMENTS]');
    expect(message(['a.js', 'b.js'])).to.equal(`'b.js' is one argument too many: FILE [-- ARGUMENTS]`);
    expect(message(['a.js', '--constructor'])).to.equal('there is no option --constructor: there are --close-timeout, --force, --help');
  });
});

describe('suggestionFor', () => {
  const names = ['close-timeout', 'export', 'admin'];

  it('completes a beginning, mends misspellings, and is silent where nothing is near', () => {
    expect(suggestionFor('close', names)).to.equal('close-timeout');
    expect(suggestionFor('exprot', names)).to.equal('export');
    expect(suggestionFor('amdin', names)).to.equal('admin');
    expect(suggestionFor('verbose', names)).to.equal(undefined);
    expect(suggestionFor('x', names)).to.equal(undefined);
  });
});
