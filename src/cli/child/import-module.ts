import { writeSync } from 'node:fs';
import { inspect } from 'node:util';
import { pathToFileURL } from 'node:url';
import { ConfigurationError, ListenError, oneLine, UsageError, WorkerUnavailableError } from '../../errors.js';
import { setImmediate } from '../../system-timers.js';
import type { ChildPlan } from './plan.js';

/** Node's exit code where a top-level await has not settled, and nothing is left that could settle it. */
const UNSETTLED = 13;

/** Imports the user's module. Rejects with what it throws. */
export async function importModule({ file }: ChildPlan): Promise<Readonly<Record<string, unknown>>> {
  const left = (): void => {
    // Node sets the code in a listener of its own.
    if ((process.exitCode ?? UNSETTLED) === UNSETTLED)
      writeSync(2, `packet-ts: ${file}: it awaits something at its top level that nothing will settle\n`);
  };
  process.once('exit', left);
  try {
    return (await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>;
  } finally {
    process.off('exit', left);
  }
}

/** Errors of a module's text say only to Node itself in which file and line it is. */
function hidesItsPlace(thrown: unknown): thrown is SyntaxError {
  return thrown instanceof SyntaxError && (thrown.stack ?? '').startsWith('SyntaxError');
}

/** Describes an error that ended a command: a user's mistake in words, anything else with its stack. */
function explain(thrown: unknown, { file }: ChildPlan): string {
  const isPlain = thrown instanceof ConfigurationError || thrown instanceof UsageError || thrown instanceof ListenError;
  if (isPlain) return `packet-ts: ${file}: ${thrown.message}`;
  if (thrown instanceof WorkerUnavailableError)
    return `packet-ts: ${file}: ${thrown.message}${thrown.cause === undefined ? '' : `\n${inspect(thrown.cause)}`}`;
  return `packet-ts: ${file}: ${inspect(thrown)}`;
}

/** Ends the process with what its module threw. Where only Node knows the line of a mistake, it is Node that shows it. */
export function exitWithError(thrown: unknown, plan: ChildPlan): void {
  if (!hidesItsPlace(thrown)) return exitWith(1, explain(thrown, plan), process.stderr);
  const { file, hint } = plan;
  process.stderr.write(`packet-ts: ${file}: ${oneLine(String(thrown))}${hint === undefined ? '' : `\n${hint}`}\n`);
  setImmediate(() => {
    throw thrown;
  });
}

/** Ends the process behind its last words. The module that was imported may keep things open. */
export function exitWith(code: number, words: string, stream: NodeJS.WriteStream): void {
  stream.write(`${words}\n`, () => process.exit(code));
}
