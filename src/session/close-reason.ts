import type { CloseReason } from '../decorators/hook-types.js';
import { AbortError, ConnectionClosedError, PacketError, TlsError } from '../errors.js';

/** Error codes of a peer that has closed its end: nothing went wrong here. */
const PEER_CLOSED_CODES = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED']);

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

/** The reason when the transport closed by itself. */
export function reasonOfTransport(error: Error | undefined): CloseReason {
  if (!error) return { by: 'peer', code: 'END' };
  const code = codeOf(error);
  const left =
    PEER_CLOSED_CODES.has(code) ||
    (error instanceof TlsError && error.cause instanceof Error && PEER_CLOSED_CODES.has(codeOf(error.cause)));
  return { by: left ? 'peer' : 'error', code, error };
}

/** The reason when an error ends the connection. */
export function reasonOfError(error: Error): CloseReason {
  return { by: 'error', code: codeOf(error), error };
}

/** The reason that `peer.signal` and the calls of a connection are aborted with. */
export function abortReason({ by, code }: CloseReason): Error {
  return new ConnectionClosedError(by === 'peer' ? `the peer is gone (${code})` : `the connection is closed (by ${by}: ${code})`);
}

/** True for an error that tells of nothing but the end of the connection that met it. */
export function isCausedByClosing(error: Error, reason: Error): boolean {
  if (error === reason || error.cause === reason || error instanceof ConnectionClosedError) return true;
  return error instanceof AbortError || (error.name === 'AbortError' && !(error instanceof PacketError));
}
