import { asError } from '../errors.js';
import { Kind } from './protocol.js';
import type { Link } from './types.js';

/**
 * Tells the other side what a call ended with: in every case something, or the caller would wait for ever.
 * A thrown value that cannot be copied is told by the encoder's error, which names the place; an error that is too large with its name
 * and the beginning of its message and stack.
 */
export function sendFailure(link: Link, id: number, reason: unknown): void {
  try {
    link.sendValue(Kind.FAILURE, id, 0, reason, 'error');
  } catch (problem) {
    link.sendValue(Kind.FAILURE, id, 0, reason instanceof Error ? beginningOf(reason, asError(problem)) : problem);
  }
}

const LONGEST = 500;

function beginningOf({ name, message, stack }: Error, problem: Error): Error {
  const error = new Error(message.slice(0, LONGEST), { cause: problem.message });
  for (const [key, text] of [
    ['name', name],
    ['stack', stack],
  ] as const)
    Object.defineProperty(error, key, { value: String(text).slice(0, LONGEST), configurable: true, writable: true });
  return error;
}
