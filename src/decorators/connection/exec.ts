import { UsageError } from '../../errors.js';
import { checkGiven, object, oneOf, show, text, texts } from '../../option-rules.js';
import type { Exec, ExecOptions } from './endpoint-types.js';

/**
 * The endpoint of a command: its stdin and stdout are the connection; `destroy()` is SIGTERM, then SIGKILL.
 * @throws UsageError for options that there are not.
 * @example @Connection({ connect: exec('tail', ['-f', path], { stderr: 'ignore' }), framing: lines() })
 */
export function exec(command: string, args: readonly string[] = [], options: ExecOptions = {}): Exec {
  if (!text.fits(command) || !texts.fits(args))
    throw new UsageError(`exec() takes a command and a list of its arguments, not ${show(command)} and ${show(args)}`);
  checkGiven('exec()', options, { env: object, cwd: text, stderr: oneOf('log', 'ignore', 'merge') });
  return Object.freeze({ command, args: Object.freeze([...args]), options: Object.freeze({ ...options }) });
}
