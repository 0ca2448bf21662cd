import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { ChildPlan } from './child/plan.js';
import { packageOf } from '../package-home.js';
import type { UserModule } from './user-module.js';
import { guard, NO_VICTIM } from '../guard.js';

/** Starts the process that imports the user's module, from the copy of the package that the module uses. */
export function startChild(
  { file, flags, hint }: UserModule,
  plan: Omit<ChildPlan, 'file' | 'hint'>,
  rest: readonly string[],
  stdio: StdioOptions = 'inherit',
): ChildProcess {
  const entry = fileURLToPath(new URL('dist/src/cli/child/main.js', packageOf(file)));
  const whole: ChildPlan = { ...plan, file, hint };
  const { WATCHDOG_PID, ...env } = process.env;
  // systemd watches the command, and it is the application that can hang.
  if (WATCHDOG_PID !== undefined && WATCHDOG_PID !== String(process.pid)) env['WATCHDOG_PID'] = WATCHDOG_PID;
  return spawn(process.execPath, ['--enable-source-maps', ...flags, entry, JSON.stringify(whole), ...rest], { stdio, env });
}

/** How a child ended, as a shell tells it: 128 and the number of the signal. Rejects when it could not be started. */
export function exitCodeOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', guard(NO_VICTIM, reject));
    child.once(
      'exit',
      guard(NO_VICTIM, (code: number | null, signal: NodeJS.Signals | null) => {
        resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
      }),
    );
  });
}
