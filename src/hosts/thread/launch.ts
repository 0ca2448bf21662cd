import { childEnvironment } from '../launch/environment.js';
import { splitNodeOptions, threadFlags } from '../launch/flags.js';
import type { HostSettings } from '../host.js';

/** How a thread is set up: options of `new Worker()`. */
export interface ThreadPlan {
  readonly argv: string[];
  readonly resourceLimits: HostSettings['resourceLimits'];
  /** Both undefined: as the master's thread has them. */
  readonly env?: Record<string, string>;
  readonly execArgv?: string[];
}

interface Master {
  readonly execArgv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Arguments of `new Worker()` for a worker's settings. */
export function threadPlan({ argv, resourceLimits, env: listed, execArgv }: HostSettings, master: Master): ThreadPlan {
  const plan = { argv: [...argv], resourceLimits };
  if (listed === undefined && execArgv.length === 0) return plan;
  // Node takes neither the master's flags nor its NODE_OPTIONS where one of the two is given: loaders must come along.
  const { env, flags } = childEnvironment(listed, undefined, master.env);
  const inherited = threadFlags([
    ...flags,
    ...master.execArgv,
    ...splitNodeOptions(listed === undefined ? (env['NODE_OPTIONS'] ?? '') : ''),
  ]);
  return { ...plan, env, execArgv: [...inherited, ...execArgv] };
}

/** A flag of the whole process, in words that say what to write instead; any other error as it is. */
export function launchError(error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== 'ERR_WORKER_INVALID_EXEC_ARGV') return error;
  const flags = message.slice(message.indexOf(':') + 1).trim();
  return new Error(`execArgv: a thread has no flags of V8 or of the whole process: ${flags}; write resourceLimits, or runtime: 'process'`, {
    cause: error,
  });
}
