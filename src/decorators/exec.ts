import type { Exec, ExecOptions } from './endpoint-types.js';

/**
 * The endpoint of a command: its stdin and stdout are the connection; `destroy()` is SIGTERM, then SIGKILL.
 * @example @Connection({ connect: exec('tail', ['-f', path], { stderr: 'ignore' }), framing: lines() })
 */
export function exec(command: string, args: readonly string[] = [], options: ExecOptions = {}): Exec {
  return Object.freeze({ command, args: Object.freeze([...args]), options: Object.freeze({ ...options }) });
}
