/**
 * The catalogue: every error class of the framework and its code.
 * docs/errors.md lists the same, and a test holds the two together.
 */
const BRAND = 'packet-ts/';

function brandOf(name: string): symbol {
  return Symbol.for(BRAND + name);
}

/** Marks a class so that `instanceof` holds across two copies of the package. */
function brand(cls: abstract new (...args: never[]) => Error, name: string): void {
  const key = brandOf(name);
  Object.defineProperty(cls.prototype, key, { value: true });
  Object.defineProperty(cls.prototype, 'name', { value: name, configurable: true, writable: true });
  Object.defineProperty(cls, Symbol.hasInstance, {
    value(this: unknown, value: unknown): boolean {
      if (this !== cls) return Function.prototype[Symbol.hasInstance].call(this as never, value);
      return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[key] === true;
    },
  });
}

/** One line, whatever went into it: our messages are sent over line protocols. */
export function oneLine(text: string): string {
  return text.replaceAll(/\s*[\r\n]+\s*/g, ' ');
}

export type PacketErrorCode = `ERR_PACKET_${string}`;

/**
 * The base of every error that the framework makes.
 * @example try { await client.evaluate('1') } catch (error) { if (error instanceof PacketError) console.error(error.code) }
 */
export class PacketError extends Error {
  /** A stable identifier, `ERR_PACKET_…`; docs/errors.md lists them. */
  readonly code: PacketErrorCode;

  constructor(message: string, code: PacketErrorCode, options?: { cause?: unknown }) {
    super(oneLine(message), options);
    this.code = code;
  }
}

/** One thing that is wrong with an application's declarations. */
export interface Mistake {
  /** The class, module or file it is about. */
  readonly where: string;
  /** The member or parameter, where there is one. */
  readonly member?: string | undefined;
  /** What is wrong. */
  readonly wrong: string;
  /** What to write instead. */
  readonly remedy: string;
}

/** The application's declarations contradict themselves; `mistakes` has every one that was found. */
export class ConfigurationError extends PacketError {
  readonly mistakes: readonly Mistake[];

  constructor(mistakes: readonly Mistake[], options?: { cause?: unknown }) {
    const lines = mistakes.map(m => `${m.where}${m.member === undefined ? '' : `.${m.member}`}: ${oneLine(m.wrong)}. ${oneLine(m.remedy)}.`);
    super(lines[0] ?? 'configuration error', 'ERR_PACKET_CONFIGURATION', options);
    this.mistakes = mistakes;
    // The one error of ours with several lines: it is told to the developer at start, never sent to a peer.
    if (lines.length > 1) this.message = `${lines.length} mistakes:\n${lines.map(line => `  - ${line}`).join('\n')}`;
  }
}

/** What a message did wrong, in the words of its schema. */
export interface Issue {
  readonly message: string;
  readonly path?: readonly PropertyKey[] | undefined;
}

function issueText(issues: readonly Issue[]): string {
  return issues.map(issue => (issue.path?.length ? `${issue.path.map(String).join('.')}: ${issue.message}` : issue.message)).join('; ');
}

/** A value did not fit the schema of the boundary it crossed. */
export class BoundaryError extends PacketError {
  readonly worker?: string | undefined;
  readonly task?: string | undefined;
  readonly direction: 'input' | 'output';
  readonly issues: readonly Issue[];

  constructor(details: { worker?: string | undefined; task?: string | undefined; direction: 'input' | 'output'; issues: readonly Issue[]; what?: string }) {
    const { worker, task, direction, issues } = details;
    const what = details.what ?? (worker === undefined ? 'message' : `${direction} of ${worker}${task === undefined ? '' : `.${task}`}`);
    super(`invalid ${what}: ${issueText(issues)}`, 'ERR_PACKET_BOUNDARY');
    this.worker = worker;
    this.task = task;
    this.direction = direction;
    this.issues = issues;
  }
}

/** Bytes that a framing cannot read: malformed, cut off, or above the limit. */
export class FramingError extends PacketError {
  declare readonly code: 'ERR_PACKET_FRAMING' | 'ERR_PACKET_FRAMING_TRUNCATED' | 'ERR_PACKET_FRAMING_TOO_LARGE';

  constructor(message: string, options?: { code?: 'ERR_PACKET_FRAMING' | 'ERR_PACKET_FRAMING_TRUNCATED' | 'ERR_PACKET_FRAMING_TOO_LARGE'; cause?: unknown }) {
    super(message, options?.code ?? 'ERR_PACKET_FRAMING', options);
  }
}

/** A message that cannot be encoded; `cause` has the encoder's own words. */
export class EncodeError extends PacketError {
  /** The connection class (or worker) whose message it was. */
  readonly handler: string;

  constructor(handler: string, cause: unknown) {
    super(`${handler} cannot encode a message: ${cause instanceof Error ? cause.message : String(cause)}`, 'ERR_PACKET_ENCODE', { cause });
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

/** A value larger than `maxMessageSize`. */
export class MessageTooLargeError extends PacketError {
  readonly limit: number;

  constructor(what: string, limit: number) {
    super(`${what} is larger than maxMessageSize (${limit} bytes)`, 'ERR_PACKET_MESSAGE_TOO_LARGE');
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

/** Plaintext bytes lay behind the message that asked for STARTTLS. */
export class TlsInjectionError extends PacketError {
  constructor() {
    super('bytes were received behind the message that started TLS', 'ERR_PACKET_TLS_INJECTION');
  }
}

/** A limit of a connection was reached; `limit` names the option. */
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

/** Who a call was for. */
export interface CallName {
  readonly worker: string;
  readonly key?: string | undefined;
  readonly task: string;
}

function callText({ worker, key, task }: CallName): string {
  return `${worker}${key === undefined ? '' : `[${key}]`}.${task}`;
}

/** The base of what can become of a call to a worker. */
abstract class CallError extends PacketError {
  readonly worker: string;
  readonly key: string | undefined;
  readonly task: string;

  constructor(call: CallName, message: string, code: PacketErrorCode, options?: { cause?: unknown }) {
    super(`${callText(call)} ${message}`, code, options);
    this.worker = call.worker;
    this.key = call.key;
    this.task = call.task;
  }
}

export type CrashReason = 'exit' | 'signal' | 'memory' | 'protocol' | 'heartbeat' | 'neighbour' | 'stop';

export interface CrashDetails {
  readonly pid: number;
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly reason: CrashReason;
  readonly started: true | 'maybe';
  readonly stderr: string;
  readonly previous?: readonly Error[];
}

const CRASH_TEXT: Readonly<Record<CrashReason, string>> = {
  exit: 'its process exited',
  signal: 'its process was killed',
  memory: 'its process ran out of memory',
  protocol: 'its process broke the protocol',
  heartbeat: 'its process stopped answering',
  neighbour: 'its process was killed because of another call',
  stop: 'its process was stopped',
};

/** The worker's process died while the call was (or may have been) running. */
export class WorkerCrashedError extends CallError implements CrashDetails {
  readonly pid: number;
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly reason: CrashReason;
  /** True: the task had begun. 'maybe': it stood in the group being entered. */
  readonly started: true | 'maybe';
  /** The last lines that the process wrote to stderr. */
  readonly stderr: string;
  /** What earlier attempts of an idempotent task ended with. */
  readonly previous: readonly Error[];

  constructor(call: CallName, details: CrashDetails) {
    const how = details.signal ?? (details.exitCode === null ? '' : `exit code ${details.exitCode}`);
    super(call, `failed: ${CRASH_TEXT[details.reason]} (pid ${details.pid}${how && `, ${how}`})`, 'ERR_PACKET_WORKER_CRASHED');
    this.pid = details.pid;
    this.exitCode = details.exitCode;
    this.signal = details.signal;
    this.reason = details.reason;
    this.started = details.started;
    this.stderr = details.stderr;
    this.previous = details.previous ?? [];
  }
}

/** The call ran longer than its hard timeout. */
export class WorkerTimeoutError extends CallError {
  /** Milliseconds. */
  readonly timeout: number;

  constructor(call: CallName, timeout: number) {
    super(call, `ran longer than its timeout of ${timeout} ms`, 'ERR_PACKET_WORKER_TIMEOUT');
    this.timeout = timeout;
  }
}

/** A queue was full and this call's caller was the one who waited with most. */
export class WorkerBusyError extends CallError {
  readonly limit: 'maxQueue' | 'maxQueuePerCaller';

  constructor(call: CallName, limit: 'maxQueue' | 'maxQueuePerCaller', size: number) {
    super(call, `was refused: ${limit} (${size} calls) is reached`, 'ERR_PACKET_WORKER_BUSY');
    this.limit = limit;
  }
}

/** The call waited in the queue longer than `queueTimeout`. */
export class QueueTimeoutError extends CallError {
  readonly timeout: number;

  constructor(call: CallName, timeout: number) {
    super(call, `waited longer than its queueTimeout of ${timeout} ms`, 'ERR_PACKET_QUEUE_TIMEOUT');
    this.timeout = timeout;
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
    super(`worker ${worker}${key === undefined ? '' : `[${key}]`} is already started with other options: stop it first or use another key`, 'ERR_PACKET_WORKER_EXISTS');
  }
}

/** The worker has no such task: only methods with `@Task` are callable. */
export class TaskNotFoundError extends CallError {
  constructor(call: CallName) {
    super(call, 'is not a task: only methods with @Task can be called', 'ERR_PACKET_TASK_NOT_FOUND');
  }
}

/** The worker was recycled while the stream ran. */
export class WorkerRecycledError extends CallError {
  constructor(call: CallName) {
    super(call, 'ended early: its worker was recycled', 'ERR_PACKET_WORKER_RECYCLED');
  }
}

/** Nobody took from the stream for `stallTimeout`. */
export class StreamStalledError extends CallError {
  readonly timeout: number;

  constructor(call: CallName, timeout: number) {
    super(call, `was given up: its stream had no credit for ${timeout} ms`, 'ERR_PACKET_STREAM_STALLED');
    this.timeout = timeout;
  }
}

/** Workers wait for each other in a circle and no slot is free. */
export class CallCycleError extends CallError {
  readonly chain: readonly string[];

  constructor(call: CallName, chain: readonly string[]) {
    super(call, `would wait for itself: ${chain.join(' → ')}`, 'ERR_PACKET_CALL_CYCLE');
    this.chain = chain;
  }
}

/** A process wrote to its link what the protocol does not allow. */
export class ProtocolError extends PacketError {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, 'ERR_PACKET_PROTOCOL', options);
  }
}

/** What was thrown, as an Error: anything else becomes the `cause` of one. */
export function asError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown;
  return new Error(`a value that is no Error was thrown: ${typeof thrown === 'string' ? oneLine(thrown) : typeof thrown}`, { cause: thrown });
}

const CATALOGUE = {
  PacketError, ConfigurationError, BoundaryError, FramingError, EncodeError, NotCloneableError, MessageTooLargeError, ConnectError, ListenError,
  TlsInjectionError, LimitError, ConnectionClosedError, UsageError, AbortError, ClosingError, WorkerCrashedError, WorkerTimeoutError, WorkerBusyError,
  QueueTimeoutError, WorkerUnavailableError, WorkerNotFoundError, WorkerExistsError, TaskNotFoundError, WorkerRecycledError, StreamStalledError,
  CallCycleError, ProtocolError,
} as const;

for (const [name, cls] of Object.entries(CATALOGUE)) brand(cls, name);

/** Every error class by name: what the wire may rebuild. */
export const errorClasses: Readonly<Record<string, abstract new (...args: never[]) => PacketError>> = CATALOGUE;
