import {
  AbortError,
  BoundaryError,
  ClosingError,
  FramingError,
  LimitError,
  MessageTooLargeError,
  QueueTimeoutError,
  StreamStalledError,
  WorkerBusyError,
  WorkerTimeoutError,
  WorkerUnavailableError,
} from '../errors.js';

/** What a client is told of an error that nobody explained. */
export interface Verdict {
  readonly status: number;
  /** Undefined: what went wrong here is nobody's business there. */
  readonly text: string | undefined;
}

/** The client's mistake, a limit, nobody free, too late: each has its status; everything else is ours. */
export function verdictOf(error: Error): Verdict {
  const status = statusOf(error);
  return { status, text: status === 500 ? undefined : error.message };
}

function statusOf(error: Error): number {
  if (error instanceof BoundaryError) return error.direction === 'input' ? 400 : 500;
  if (error instanceof LimitError) return error.limit === 'messageTimeout' ? 408 : error.limit === 'maxMessageSize' ? 413 : 500;
  if (error instanceof MessageTooLargeError) return 413;
  if (error instanceof FramingError) return error.code === 'ERR_PACKET_FRAMING_TOO_LARGE' ? 413 : 400;
  if (error instanceof WorkerBusyError || error instanceof WorkerUnavailableError || error instanceof ClosingError) return 503;
  if (isLate(error)) return 504;
  return 500;
}

function isLate(error: Error): boolean {
  if (error instanceof WorkerTimeoutError || error instanceof QueueTimeoutError || error instanceof StreamStalledError) return true;
  // `AbortSignal.timeout()`, by itself or as the reason of a call that was aborted.
  return (
    error.name === 'TimeoutError' || (error instanceof AbortError && error.cause instanceof Error && error.cause.name === 'TimeoutError')
  );
}
