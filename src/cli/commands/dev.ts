import type { Command } from '../command.js';
import { DevLoop } from '../run/dev-loop.js';
import { thisNode, userModule } from '../user-module.js';
import { RUN_OPTIONS, supervise, supervisorOf, tell } from './run.js';

export const dev: Command = {
  name: 'dev',
  usage: 'MODULE [-- ARGUMENTS]',
  summary: 'runs an application and follows its sources',
  details: `Like "packet-ts run", and watches the folder of MODULE: a changed worker is restarted in rolling fashion while connections stay open and
calls go on; any other change reloads the application, whose listening sockets stay. An application that could not start is tried
again with the next change. With compiled sources, let "tsc --watch" run beside it.`,
  options: RUN_OPTIONS,
  positionals: [1, 1],
  takesRest: true,
  run: given => {
    const { file } = userModule(given.positionals[0]!, thisNode());
    return supervise(new DevLoop(file, () => supervisorOf(given), tell));
  },
};
