import type { Command } from '../command.js';
import { optionText } from '../command.js';
import { exitCodeOf, startChild } from '../start-child.js';
import { thisNode, userModule } from '../user-module.js';
import { toMilliseconds, type Duration } from '../../units.js';

export const run: Command = {
  name: 'run',
  usage: 'MODULE [-- ARGUMENTS]',
  summary: 'starts the application that a module exports',
  details: `Imports MODULE and starts the class decorated with @Module that it exports (the default export, or the only one); a module that calls
bootstrap() itself is run as it is. A .ts file is compiled on the fly where @swc-node/register, @oxc-node/core or tsx is installed.
SIGINT and SIGTERM close the application gracefully, a second one at once.`,
  options: {
    export: { type: 'string', value: 'NAME', help: 'the exported class to take, where there are several' },
    'close-timeout': { type: 'string', value: 'DURATION', help: "how long closing may take, '15s' unless bootstrap() is given another" },
  },
  positionals: [1, 1],
  takesRest: true,
  async run(given) {
    const module = userModule(given.positionals[0]!, thisNode());
    const closeTimeout = optionText(given, 'close-timeout');
    if (closeTimeout !== undefined) toMilliseconds(closeTimeout as Duration);
    const child = startChild(module, { mode: 'run', export: optionText(given, 'export'), closeTimeout }, given.rest, [
      'inherit',
      'inherit',
      'inherit',
      'ipc',
    ]);
    const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
    process.on('SIGINT', forward);
    process.on('SIGTERM', forward);
    try {
      return await exitCodeOf(child);
    } finally {
      process.off('SIGINT', forward);
      process.off('SIGTERM', forward);
    }
  },
};
