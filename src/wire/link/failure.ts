import { isReadableError } from '../../errors/packet-error.js';
import { Kind } from './protocol.js';
import type { Link } from './types.js';

/** The most characters of each text of an error that is too large to be sent whole. */
const LONGEST = 500;

/**
 * Tells the other side what a call ended with: in every case something, or the caller would wait for ever.
 * A thrown value that cannot be copied is told by the encoder's error, which names the place; an error that is too large with its name
 * and the beginning of its message and stack.
 * @param permanent of a worker that cannot start (id 0): it would fail again in the same way
 */
export function sendFailure(link: Link, id: number, reason: unknown, permanent = false): void {
  sendError(link, Kind.FAILURE, id, permanent ? 1 : 0, reason);
}

/** Sends a thrown value, or as much of it as can be sent. Never throws, whatever looking at the value does. */
export function sendError(link: Link, kind: number, id: number, arg: number, reason: unknown): void {
  const problem = attempt(link, kind, id, arg, reason);
  if (problem === undefined) return;
  const rest = isReadableError(reason) ? beginningOf(reason, problem) : problem;
  if (attempt(link, kind, id, arg, rest) === undefined) return;
  // A limit of a few hundred bytes: nothing but the name fits, or not even that.
  link.sendValue(kind, id, arg, rest.name.slice(0, 20));
}

/** Sends once; returns the encoder's error, or undefined where it was sent. */
function attempt(link: Link, kind: number, id: number, arg: number, reason: unknown): Error | undefined {
  try {
    link.sendValue(kind, id, arg, reason, 'error');
    return undefined;
  } catch (problem) {
    return problem as Error;
  }
}

function beginningOf(reason: Error, problem: Error): Error {
  const error = new Error(reason.message.slice(0, LONGEST), { cause: problem.message });
  for (const key of ['name', 'stack'] as const) {
    const text = textOf(reason, key).slice(0, LONGEST);
    Object.defineProperty(error, key, { value: text, configurable: true, writable: true });
  }
  return error;
}

function textOf(error: Error, key: 'name' | 'stack'): string {
  try {
    return String(error[key]);
  } catch {
    return '';
  }
}
