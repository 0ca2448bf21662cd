import { PacketError } from '../errors.js';
import { isTimeout, textFor } from '../errors/status-code.js';

/** The answer to a request whose error no `@OnError` handles. */
export interface ErrorStatus {
  readonly status: number;
  readonly text: string;
}

/** The status and text for an error: its own words for a mistake of the client, fixed ones for everything else. */
export function errorStatusOf(error: Error): ErrorStatus {
  const status = statusOf(error);
  return { status, text: textFor(status, error.message) };
}

function statusOf(error: Error): number {
  if (!(error instanceof PacketError)) return isTimeout(error) ? 504 : 500;
  // An error that a worker has sent may have a property of that name.
  const status: unknown = error.statusCode;
  return typeof status === 'number' && status >= 400 && status <= 599 && Number.isInteger(status) ? status : 500;
}
