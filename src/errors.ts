/**
 * The catalogue: every error class of the framework and its code.
 * docs/errors.md lists the same, and a test holds the two together.
 */
import { asError, brand, oneLine, PacketError } from './errors/packet-error.js';
import { BoundaryError } from './errors/boundary.js';
import { MeshError } from './errors/mesh.js';
import { ProfileError } from './errors/profile.js';
import {
  WorkerCrashedError,
  WorkerTimeoutError,
  WorkerBusyError,
  QueueTimeoutError,
  TaskNotFoundError,
  WorkerRecycledError,
  StreamStalledError,
  CallCycleError,
} from './errors/calls.js';
import { CircuitOpenError, OperationTimeoutError, RateLimitError } from './errors/policies.js';

export { CircuitOpenError, OperationTimeoutError, RateLimitError } from './errors/policies.js';
export { BoundaryError, type Issue } from './errors/boundary.js';
export { MeshError } from './errors/mesh.js';
export { ProfileError, type ProfileFailure } from './errors/profile.js';
export { asError, oneLine, PacketError, type PacketErrorCode } from './errors/packet-error.js';
export {
  WorkerCrashedError,
  WorkerTimeoutError,
  WorkerBusyError,
  QueueTimeoutError,
  TaskNotFoundError,
  WorkerRecycledError,
  StreamStalledError,
  CallCycleError,
  type CallName,
  type CrashDetails,
  type CrashReason,
} from './errors/calls.js';

/** One thing that is wrong with an application's declarations. */
export interface Mistake {
  /** The class, module or file it is about. */
  readonly where: string;
  /** The member or parameter, where there is one. */
  readonly member?: string | undefined;
  /** The mistake. */
  readonly wrong: string;
  /** Advice: the correct thing to write. */
  readonly remedy: string;
}

/** The application's declarations contradict themselves; `mistakes` has every one that was found. */
export class ConfigurationError extends PacketError {
  readonly mistakes: readonly Mistake[];

  constructor(mistakes: readonly Mistake[], options?: { cause?: unknown }) {
    const lines = mistakes.map(
      m => `${m.where}${m.member === undefined ? '' : `.${m.member}`}: ${oneLine(m.wrong)}. ${oneLine(m.remedy)}.`,
    );
    super(lines[0] ?? 'configuration error', 'ERR_PACKET_CONFIGURATION', options);
    this.mistakes = mistakes;
    // The one error of ours with several lines: it is told to the developer at start, never sent to a peer.
    if (lines.length > 1) this.message = `${lines.length} mistakes:\n${lines.map(line => `  - ${line}`).join('\n')}`;
  }
}

/** Bytes that a framing cannot read: malformed, cut off, or above the limit. */
export class FramingError extends PacketError {
  declare readonly code: 'ERR_PACKET_FRAMING' | 'ERR_PACKET_FRAMING_TRUNCATED' | 'ERR_PACKET_FRAMING_TOO_LARGE';

  constructor(
    message: string,
    options?: { code?: 'ERR_PACKET_FRAMING' | 'ERR_PACKET_FRAMING_TRUNCATED' | 'ERR_PACKET_FRAMING_TOO_LARGE'; cause?: unknown },
  ) {
    super(message, options?.code ?? 'ERR_PACKET_FRAMING', options);
  }
}

/** A message that cannot be encoded; `cause` has the encoder's own words. */
export class EncodeError extends PacketError {
  /** The connection class (or worker) whose message it was. */
  readonly handler: string;

  constructor(handler: string, cause: unknown) {
    super(`${handler} cannot encode a message: ${asError(cause).message}`, 'ERR_PACKET_ENCODE', { cause });
    this.handler = handler;
  }
}

/** A value that cannot be copied to another process; `path` says where it sits. */
export class NotCloneableError extends PacketError {
  readonly path: string;

  constructor(path: string, what: string) {
    super(`cannot be sent to another process: ${path} is ${what}`, 'ERR_PACKET_NOT_CLONEABLE');
    this.path = path;
  }
}

/** A value larger than `maxMessageSize`, or than what a `status()` may have; an answer or item of more parts than one value may have. */
export class MessageTooLargeError extends PacketError {
  readonly limit: number;

  /**
   * @param name the option that sets the limit, or what the limit is of
   * @param unit of the limit
   */
  constructor(what: string, limit: number, name = 'maxMessageSize', unit = 'bytes') {
    super(`${what} is larger than ${name} (${limit} ${unit})`, 'ERR_PACKET_MESSAGE_TOO_LARGE');
    this.limit = limit;
  }
}

/** An outbound connection that did not come about. */
export class ConnectError extends PacketError {
  readonly reason: 'refused' | 'timeout' | 'unresolvable' | 'tls' | 'aborted';
  readonly url: string;

  constructor(url: string, reason: ConnectError['reason'], message: string, options?: { cause?: unknown }) {
    super(`cannot connect to ${url}: ${message}`, 'ERR_PACKET_CONNECT', options);
    this.url = url;
    this.reason = reason;
  }
}

/** An endpoint that cannot be listened on: in use, not permitted, no such address. */
export class ListenError extends PacketError {
  readonly url: string;

  constructor(url: string, message: string, options?: { cause?: unknown }) {
    super(`cannot listen on ${url}: ${message}`, 'ERR_PACKET_LISTEN', options);
    this.url = url;
  }
}

/** A TLS handshake that failed, or a certificate that cannot be used; `cause` has the words of OpenSSL or the system. */
export class TlsError extends PacketError {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, 'ERR_PACKET_TLS', options);
  }
}

/** Plaintext bytes lay behind the message that asked for STARTTLS. */
export class TlsInjectionError extends PacketError {
  constructor() {
    super('bytes were received behind the message that started TLS', 'ERR_PACKET_TLS_INJECTION');
  }
}

/** A limit of a connection was reached, or more events wait for their caller than a worker may keep; `limit` names the option. */
export class LimitError extends PacketError {
  readonly limit: string;

  constructor(limit: string, message: string) {
    super(message, 'ERR_PACKET_LIMIT');
    this.limit = limit;
  }
}

/** The connection is over: what was asked of it cannot happen any more. */
export class ConnectionClosedError extends PacketError {
  constructor(message = 'the connection is closed') {
    super(message, 'ERR_PACKET_CONNECTION_CLOSED');
  }
}

/** A connection that had to begin with the header of a proxy does not. */
export class ProxyProtocolError extends PacketError {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, 'ERR_PACKET_PROXY_PROTOCOL', options);
  }
}

/** A call or state that the API does not allow at this moment. */
export class UsageError extends PacketError {
  constructor(message: string) {
    super(message, 'ERR_PACKET_USAGE');
  }
}

/** The call's signal was aborted; `cause` is the signal's reason. */
export class AbortError extends PacketError {
  constructor(reason?: unknown, message = 'the call was aborted') {
    super(message, 'ERR_PACKET_ABORTED', { cause: reason });
  }
}

/** The application is closing and takes no new work. */
export class ClosingError extends PacketError {
  constructor(message = 'the application is closing') {
    super(message, 'ERR_PACKET_CLOSING');
  }
}

/** The worker cannot be started; `cause` is the boot error. */
export class WorkerUnavailableError extends PacketError {
  readonly worker: string;
  readonly key: string | undefined;

  constructor(worker: string, key: string | undefined, message: string, options?: { cause?: unknown }) {
    super(`worker ${worker}${key === undefined ? '' : `[${key}]`} is not available: ${message}`, 'ERR_PACKET_WORKER_UNAVAILABLE', options);
    this.worker = worker;
    this.key = key;
  }
}

/** No started worker has this name and key. */
export class WorkerNotFoundError extends PacketError {
  readonly worker: string;
  readonly key: string | undefined;

  constructor(worker: string, key: string | undefined, message: string) {
    super(`worker ${worker}${key === undefined ? '' : `[${key}]`} was not found: ${message}`, 'ERR_PACKET_WORKER_NOT_FOUND');
    this.worker = worker;
    this.key = key;
  }
}

/** A worker of this name and key runs already, with other options. */
export class WorkerExistsError extends PacketError {
  constructor(worker: string, key: string | undefined) {
    super(
      `worker ${worker}${key === undefined ? '' : `[${key}]`} is already started with other options: stop it first or use another key`,
      'ERR_PACKET_WORKER_EXISTS',
    );
  }
}

/** A process wrote to its link what the protocol does not allow. */
export class ProtocolError extends PacketError {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, 'ERR_PACKET_PROTOCOL', options);
  }
}

// prettier-ignore
const CATALOGUE = {
  PacketError, ConfigurationError, BoundaryError, FramingError, EncodeError, NotCloneableError, MessageTooLargeError, ConnectError, ListenError,
  TlsError, TlsInjectionError, ProxyProtocolError, LimitError, ConnectionClosedError, UsageError, AbortError, ClosingError, WorkerCrashedError, WorkerTimeoutError, WorkerBusyError,
  QueueTimeoutError, WorkerUnavailableError, WorkerNotFoundError, WorkerExistsError, TaskNotFoundError, WorkerRecycledError, StreamStalledError,
  CallCycleError, ProtocolError, MeshError, ProfileError, OperationTimeoutError, RateLimitError, CircuitOpenError,
} as const;

for (const [name, cls] of Object.entries(CATALOGUE)) brand(cls, name);

/** Every error class by name: what the wire may rebuild. */
export const errorClasses: Readonly<Record<string, abstract new (...args: never[]) => PacketError>> = CATALOGUE;
