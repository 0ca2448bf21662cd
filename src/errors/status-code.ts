/** The parts of an error that decide its status. */
interface Coded {
  readonly code: string;
  readonly cause?: unknown;
}

/** Statuses of HTTP by error code; any other code is 500. */
const BY_CODE: Readonly<Record<string, number>> = {
  ERR_PACKET_FRAMING: 400,
  ERR_PACKET_FRAMING_TRUNCATED: 400,
  ERR_PACKET_FRAMING_TOO_LARGE: 413,
  ERR_PACKET_MESSAGE_TOO_LARGE: 413,
  ERR_PACKET_RATE_LIMIT: 429,
  ERR_PACKET_CIRCUIT_OPEN: 503,
  ERR_PACKET_OPERATION_TIMEOUT: 504,
  ERR_PACKET_WORKER_BUSY: 503,
  ERR_PACKET_WORKER_UNAVAILABLE: 503,
  ERR_PACKET_CLOSING: 503,
  ERR_PACKET_WORKER_TIMEOUT: 504,
  ERR_PACKET_QUEUE_TIMEOUT: 504,
  ERR_PACKET_STREAM_STALLED: 504,
};

/** Statuses of a `LimitError` by its limit. */
const BY_LIMIT: Readonly<Record<string, number>> = {
  allow: 403,
  deny: 403,
  messageTimeout: 408,
  maxMessageSize: 413,
  maxConnections: 503,
  maxPerPeer: 503,
  descriptors: 503,
};

/** An error of `AbortSignal.timeout()`. */
export function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === 'TimeoutError';
}

function own(table: Readonly<Record<string, number>>, key: unknown): number {
  return typeof key === 'string' && Object.hasOwn(table, key) ? table[key]! : 500;
}

/** The status with which a server of HTTP answers an error of ours: 4xx where the client can do something about it. */
export function statusCodeOf(error: Coded): number {
  const { code, cause } = error;
  const { direction, limit } = error as { readonly direction?: unknown; readonly limit?: unknown };
  if (code === 'ERR_PACKET_BOUNDARY') return direction === 'input' ? 400 : 500;
  if (code === 'ERR_PACKET_LIMIT') return own(BY_LIMIT, limit);
  if (code === 'ERR_PACKET_ABORTED') return isTimeout(cause) ? 504 : 500;
  return own(BY_CODE, code);
}

/** Fixed words: an error from 500 on may tell of databases, files and other clients. */
const WORDS: Readonly<Record<number, string>> = {
  500: 'something went wrong here',
  503: 'not available now: try again later',
  504: 'not answered in time',
};

/** The text that goes with a status: the error's own for a mistake of the client, fixed words for everything else. */
export function textFor(status: number, message: string): string {
  return status < 500 ? message : (WORDS[status] ?? WORDS[500]!);
}
