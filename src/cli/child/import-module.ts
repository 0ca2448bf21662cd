import { inspect } from 'node:util';
import { pathToFileURL } from 'node:url';
import { ConfigurationError, ListenError, UsageError, WorkerUnavailableError } from '../../errors.js';
import type { ChildPlan } from './plan.js';

/** Imports the user's module. Rejects with what it throws. */
export function importModule({ file }: ChildPlan): Promise<Readonly<Record<string, unknown>>> {
  return import(pathToFileURL(file).href) as Promise<Readonly<Record<string, unknown>>>;
}

/** Describes an error that ended a command: a user's mistake in words, anything else with its stack. */
export function explain(thrown: unknown, { file, hint }: ChildPlan): string {
  const isPlain = thrown instanceof ConfigurationError || thrown instanceof UsageError || thrown instanceof ListenError;
  if (isPlain) return `packet-ts: ${file}: ${thrown.message}`;
  if (thrown instanceof WorkerUnavailableError)
    return `packet-ts: ${file}: ${thrown.message}${thrown.cause === undefined ? '' : `\n${inspect(thrown.cause)}`}`;
  const isSyntax = thrown instanceof SyntaxError && hint !== undefined;
  return `packet-ts: ${file}: ${inspect(thrown)}${isSyntax ? `\n${hint}` : ''}`;
}

/** Ends the process behind its last words. The module that was imported may keep things open. */
export function exitWith(code: number, words: string, stream: NodeJS.WriteStream): void {
  stream.write(`${words}\n`, () => process.exit(code));
}
