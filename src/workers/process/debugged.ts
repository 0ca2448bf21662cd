import type { WorkerSettings } from '../../blueprint/types.js';
import { hostNamed } from '../../hosts/registry.js';

const INSPECT = /^--inspect(?:-brk|-wait|-port)?(?:=|$)/;

/** Set by VS Code for processes that its debugger attaches to by itself. */
const AUTO_ATTACH = 'VSCODE_INSPECTOR_OPTIONS';

/**
 * True when processes of this worker are started under an inspector: by `--inspect…` in its `execArgv` or in the NODE_OPTIONS of its
 * `env`, by a debugger that attaches by itself, or with the whole process, which threads and inline workers share. A breakpoint may stop them for any
 * time then, so limits of their calls, starts, queues and heartbeats stand still. What a worker says of itself does not count.
 */
export function isDebugged({ env, execArgv, runtime }: Pick<WorkerSettings, 'env' | 'execArgv' | 'runtime'>): boolean {
  const flags = hostNamed(runtime)?.sharesProcess ? process.execArgv : [...execArgv, ...(env?.['NODE_OPTIONS'] ?? '').split(/\s+/)];
  return flags.some(flag => INSPECT.test(flag)) || Boolean((env ?? process.env)[AUTO_ATTACH]);
}
