import { isReadableError } from '../../errors/packet-error.js';
import { encodeValue } from '../codec/codec.js';
import { Kind, MOST_STRAY } from './protocol.js';
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

/**
 * Sends an uncaught error, or as much of it as can be sent in {@link MOST_STRAY} bytes. Never throws, whatever looking at the value does.
 * @param fatal its process ends for it
 */
export function sendStray(link: Link, reason: unknown, fatal: boolean): void {
  const limited: Pick<Link, 'sendValue'> = {
    sendValue: (kind, id, arg, value, root) => {
      const encoded = encodeValue(value, MOST_STRAY, root);
      link.sendEncoded(kind, id, arg, encoded);
      return encoded.length;
    },
  };
  sendError(limited, Kind.STRAY, 0, fatal ? 1 : 0, reason);
}

/** Sends a thrown value, or as much of it as can be sent. Never throws, whatever looking at the value does. */
export function sendError(link: Pick<Link, 'sendValue'>, kind: number, id: number, arg: number, reason: unknown): void {
  const problem = attempt(link, kind, id, arg, reason);
  if (problem === undefined) return;
  const rest = isReadableError(reason) ? beginningOf(reason, problem) : problem;
  if (attempt(link, kind, id, arg, rest) === undefined) return;
  // A limit of a few hundred bytes: nothing but the name fits, or not even that.
  link.sendValue(kind, id, arg, rest.name.slice(0, 20));
}

/** Sends once; returns the encoder's error, or undefined where it was sent. */
function attempt(link: Pick<Link, 'sendValue'>, kind: number, id: number, arg: number, reason: unknown): Error | undefined {
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
