import type { Command } from '../command.js';
import { runningCommand } from '../run/control-client.js';

export const reload: Command = {
  name: 'reload',
  usage: '[PID]',
  summary: 'lets a running packet-ts run take the code as it is now, without an outage',
  details: `Tells a running "packet-ts run" of this user to start the code as it is now beside the old one. When the new process listens, the
old one accepts no more, finishes what it has and ends; websockets of it close with the code 1012. Nothing is refused meanwhile. If the
new process cannot start, the old one goes on, and the exit code is 1. PID is that of "packet-ts run"; it need not be given where only
one is running. SIGHUP does the same.`,
  options: {},
  positionals: [0, 1],
  async run({ positionals }) {
    using command = await runningCommand(positionals[0]);
    const answer = (await command.ask('reload')) as { done?: boolean; pid?: number; why?: string; error?: string };
    if (answer.done === true) {
      process.stdout.write(`reloaded: process ${answer.pid ?? '?'} has taken over\n`);
      return 0;
    }
    process.stderr.write(`packet-ts reload: ${answer.why ?? answer.error ?? 'it failed'}\n`);
    return 1;
  },
};
