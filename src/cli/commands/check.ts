import type { Command } from '../command.js';
import { optionText } from '../command.js';
import { exitCodeOf, startChild } from '../start-child.js';
import { thisNode, userModule } from '../user-module.js';

export const check: Command = {
  name: 'check',
  usage: 'MODULE',
  summary: 'tells every mistake of an application, without starting it',
  details: `Imports MODULE (a .js file, or a .ts file where tsx or another loader is installed), reads what its decorators declare, and tells all
mistakes at once: what bootstrap() would refuse to start with. Nothing is started, bound or dialled. MODULE exports a class decorated
with @Module, or calls bootstrap() itself. The exit code is 1 when there is a mistake.`,
  options: { export: { type: 'string', value: 'NAME', help: 'the exported class to take, where there are several' } },
  positionals: [1, 1],
  async run(given) {
    const module = userModule(given.positionals[0]!, thisNode());
    return exitCodeOf(startChild(module, { mode: 'check', export: optionText(given, 'export') }, given.rest));
  },
};
