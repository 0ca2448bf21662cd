import { readFileSync } from 'node:fs';
import { asError, ConfigurationError, PacketError, UsageError } from '../errors.js';
import { readArguments } from './arguments.js';
import { CommandFailure, type Command } from './command.js';
import { COMMANDS } from './commands.js';
import { commandHelp, overview } from './help.js';
import { ownPackage } from '../package-home.js';
import { suggestionFor } from './suggest.js';

const FAILED = 1;
const MISUSED = 2;

function say(text: string): void {
  process.stdout.write(text);
}

function complain(text: string): void {
  process.stderr.write(`${text}\n`);
}

function version(): string {
  const { version: number } = JSON.parse(readFileSync(new URL('package.json', ownPackage()), 'utf8')) as { version: string };
  return number;
}

function wrongCommand(name: string): number {
  const meant = suggestionFor(
    name,
    COMMANDS.map(command => command.name),
  );
  complain(`packet-ts: there is no command '${name}'${meant === undefined ? '' : `; did you mean '${meant}'?`}`);
  complain(`packet-ts --help lists them`);
  return MISUSED;
}

async function runCommand(command: Command, args: readonly string[]): Promise<number> {
  try {
    const given = readArguments(command, args);
    if (given.options['help'] === true) {
      say(commandHelp(command));
      return 0;
    }
    return await command.run(given);
  } catch (thrown) {
    const error = asError(thrown);
    const isMisuse = error instanceof UsageError;
    // Our own messages say what to do; anything else is a defect, whose stack helps.
    complain(
      `packet-ts ${command.name}: ${error instanceof PacketError || error instanceof CommandFailure ? error.message : (error.stack ?? error.message)}`,
    );
    if (isMisuse) complain(`packet-ts ${command.name} --help shows how it is used`);
    return isMisuse && !(error instanceof ConfigurationError) ? MISUSED : FAILED;
  }
}

/**
 * Runs one command.
 * @param args what stands behind the program's name
 * @returns the exit code: 0 done, 1 failed, 2 used wrongly. Never rejects.
 */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined) {
    complain(overview(COMMANDS));
    return MISUSED;
  }
  if (name === '--help' || name === '-h' || name === 'help') {
    const asked = COMMANDS.find(command => command.name === rest[0]);
    if (rest[0] !== undefined && !asked) return wrongCommand(rest[0]);
    say(asked ? commandHelp(asked) : overview(COMMANDS));
    return 0;
  }
  if (name === '--version' || name === '-V') {
    say(`${version()}\n`);
    return 0;
  }
  const command = COMMANDS.find(each => each.name === name);
  return command ? runCommand(command, rest) : wrongCommand(name);
}
