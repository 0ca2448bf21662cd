import { SystemdNotifier } from '../../app/systemd-notify.js';
import { realClock } from '../../clock.js';
import type { Command, CommandArguments } from '../command.js';
import { optionText } from '../command.js';
import { ControlServer } from '../run/control-server.js';
import { inheritedStdio } from '../run/inherited-sockets.js';
import { RunSupervisor } from '../run/supervisor.js';
import { startChild } from '../start-child.js';
import { thisNode, userModule } from '../user-module.js';
import { toMilliseconds, type Duration } from '../../units.js';
import type { OptionSpec } from '../command.js';

/** Options of all commands that run an application. */
export const RUN_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  export: { type: 'string', value: 'NAME', help: 'the exported class to take, where there are several' },
  admin: { type: 'boolean', help: 'serves the page on the loopback, unless bootstrap() is given admin; docs/admin.md' },
  'close-timeout': { type: 'string', value: 'DURATION', help: "how long closing may take, '15s' unless bootstrap() is given another" },
};

/** Tells the operator something, beside the log. */
export function tell(line: string): void {
  process.stderr.write(`packet-ts: ${line}\n`);
}

/** The supervisor of the application that the arguments name. Throws UsageError. */
export function supervisorOf(given: CommandArguments): RunSupervisor {
  const path = given.positionals[0]!;
  const closeTimeout = optionText(given, 'close-timeout');
  if (closeTimeout !== undefined) toMilliseconds(closeTimeout as Duration);
  // Told at once, not by the first process.
  userModule(path, thisNode());
  const stdio = inheritedStdio();
  const plan = { mode: 'run', export: optionText(given, 'export'), admin: given.options['admin'] === true, closeTimeout } as const;
  return new RunSupervisor(
    // A loader may have been installed since.
    () => startChild(userModule(path, thisNode()), plan, given.rest, stdio),
    tell,
    SystemdNotifier.from({ env: { ...process.env }, pid: process.pid, clock: realClock, warn: tell }),
  );
}

/** A run that signals and requests are handed to. */
interface Supervised {
  readonly supervisor: RunSupervisor;
  signal(signal: NodeJS.Signals): void;
  run(): Promise<number>;
}

/** Runs it to its end, with its signals and its control socket. Returns the exit code. */
export async function supervise(run: Supervised): Promise<number> {
  const control = new ControlServer(
    {
      reload: () => run.supervisor.reload(),
      look: async () => (await run.supervisor.current?.look()) ?? { error: 'the application has ended' },
    },
    tell,
  );
  control.listen();
  const end = (signal: NodeJS.Signals): void => run.signal(signal);
  // A terminal that is closed ends what runs in it; without one SIGHUP is a request of the operator's.
  const hangUp = (): void => (process.stdin.isTTY ? run.signal('SIGTERM') : void run.supervisor.reload());
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  process.on('SIGHUP', hangUp);
  try {
    return await run.run();
  } finally {
    process.off('SIGINT', end);
    process.off('SIGTERM', end);
    process.off('SIGHUP', hangUp);
    control.close();
  }
}

export const run: Command = {
  name: 'run',
  usage: 'MODULE [-- ARGUMENTS]',
  summary: 'starts the application that a module exports',
  details: `Imports MODULE and starts the class decorated with @Module that it exports (the default export, or the only one); a module that calls
bootstrap() itself is run as it is. A .ts file is compiled on the fly where @swc-node/register, @oxc-node/core or tsx is installed.
SIGINT and SIGTERM close the application gracefully, a second one at once. SIGHUP, or "packet-ts reload", starts the code as it is now
beside the old one, which finishes what it has: the listening sockets belong to this command, and nothing is refused.`,
  options: RUN_OPTIONS,
  positionals: [1, 1],
  takesRest: true,
  run: given => {
    const supervisor = supervisorOf(given);
    return supervise({ supervisor, signal: signal => supervisor.signal(signal), run: () => supervisor.run() });
  },
};
