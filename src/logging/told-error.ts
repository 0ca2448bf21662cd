import { BoundaryError, FramingError, LimitError, ProxyProtocolError, TlsError, type Issue } from '../errors.js';
import { errorForLog } from '../errors/error-for-log.js';
import { printable } from '../errors/printable.js';

/** Characters of the list of places where a value did not fit. */
const LONGEST = 200;
/** Issues at which the search in a large value ends (zod-issues.ts). */
const SEARCHED = 1_000;

/** A mistake of the peer: our own stack says nothing about it. */
export function isOffence(error: unknown): error is Error {
  return (
    error instanceof FramingError ||
    error instanceof TlsError ||
    error instanceof ProxyProtocolError ||
    error instanceof LimitError ||
    error instanceof BoundaryError
  );
}

/** Where a value did not fit. What its schema says about it may repeat it, so that is not logged. */
function placesOf(issues: readonly Issue[]): string {
  const places = issues.map(({ path }) => (path?.length ? path.map(String).join('.') : 'the whole'));
  return printable([...new Set(places)].join(', '), LONGEST);
}

function messageOf({ worker, task, direction, issueCount, issues }: BoundaryError): string {
  const what = worker === undefined ? 'message' : `${direction} of ${worker}${task === undefined ? '' : `.${task}`}`;
  const count = `${issueCount} issue${issueCount === 1 ? '' : 's'}${issueCount >= SEARCHED ? ' or more' : ''}`;
  return `invalid ${what}: ${count} at ${placesOf(issues)}`;
}

function hide(error: Error, name: string, value: unknown): void {
  Object.defineProperty(error, name, { value, enumerable: false, configurable: true, writable: true });
}

/**
 * An error as it is logged: see {@link errorForLog}. The peer's own mistakes have neither stack nor cause, since a parser's words repeat
 * what it read, and of a message that fits no schema only the places where it does not.
 */
export function toldError(error: unknown): Error {
  const told = errorForLog(error);
  if (!isOffence(told)) return told;
  hide(told, 'stack', '');
  hide(told, 'cause', undefined);
  if (error instanceof BoundaryError) hide(told, 'message', messageOf(error));
  return told;
}
