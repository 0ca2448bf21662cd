import { PacketError } from './packet-error.js';

/** An operation wrapped in `timeout()` took longer than it may. */
export class OperationTimeoutError extends PacketError {
  /** Name of the operation: `'EvalConnection.evaluate'`. */
  readonly operation: string;
  /** Milliseconds. */
  readonly timeout: number;

  constructor(operation: string, timeout: number) {
    super(`${operation} took longer than its timeout of ${timeout} ms`, 'ERR_PACKET_OPERATION_TIMEOUT');
    this.operation = operation;
    this.timeout = timeout;
  }
}

/** `rateLimit()` has let as many through as it may. */
export class RateLimitError extends PacketError {
  readonly operation: string;
  /** How many may pass in `per` milliseconds. */
  readonly limit: number;
  readonly per: number;
  /** Milliseconds until the next one may pass. */
  readonly retryAfter: number;

  constructor(operation: string, { limit, per, retryAfter }: { limit: number; per: number; retryAfter: number }) {
    super(`${operation} was refused: its rateLimit of ${limit} in ${per} ms is reached`, 'ERR_PACKET_RATE_LIMIT');
    this.operation = operation;
    this.limit = limit;
    this.per = per;
    this.retryAfter = retryAfter;
  }
}

/** `circuitBreaker()` has seen too many failures and lets nothing through for a while. */
export class CircuitOpenError extends PacketError {
  readonly operation: string;

  constructor(operation: string, options?: { cause?: unknown }) {
    super(`${operation} was refused: it failed too often, and its circuitBreaker is open`, 'ERR_PACKET_CIRCUIT_OPEN', options);
    this.operation = operation;
  }
}
