import type { CloseReason } from '../decorators/hook-types.js';
import { BoundaryError, FramingError } from '../errors.js';

/** Status codes of RFC 6455, section 7.4.1. */
const NORMAL = 1000;
const GOING_AWAY = 1001;
const INVALID = 1007;
const POLICY = 1008;
const TOO_BIG = 1009;
const INTERNAL = 1011;
/** The service restarts: come again. */
const RESTART = 1012;

function codeOfError(error: Error | undefined): number {
  if (error instanceof FramingError) return error.code === 'ERR_PACKET_FRAMING_TOO_LARGE' ? TOO_BIG : INVALID;
  return error instanceof BoundaryError ? INVALID : INTERNAL;
}

/** The code of our close frame. */
export function closeCodeOf(why: CloseReason | undefined): number {
  if (why?.by === 'error') return codeOfError(why.error);
  if (why?.by === 'limit' || why?.by === 'timeout') return POLICY;
  if (why?.by === 'shutdown') return why.code === 'RELOAD' ? RESTART : GOING_AWAY;
  return NORMAL;
}

/** The error of `ws` for a violation of the protocol, as ours. */
export function violation(error: Error): FramingError {
  const code = 'code' in error ? error.code : undefined;
  return new FramingError(`the peer breaks the websocket protocol: ${error.message}`, {
    ...(code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' && { code: 'ERR_PACKET_FRAMING_TOO_LARGE' }),
    cause: error,
  });
}
