import { PacketError, type PacketErrorCode } from './packet-error.js';

/** The target of a call. */
export interface CallName {
  readonly worker: string;
  readonly key?: string | undefined;
  readonly task: string;
}

function callText({ worker, key, task }: CallName): string {
  return `${worker}${key === undefined ? '' : `[${key}]`}.${task}`;
}

/** The base of what can become of a call to a worker. */
export abstract class CallError extends PacketError {
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

/** Why a process that had begun a call is gone; docs/errors.md says what each means. */
export type CrashReason = 'exit' | 'signal' | 'memory' | 'protocol' | 'heartbeat' | 'neighbour' | 'stop' | 'lost';

export interface CrashDetails {
  readonly pid: number;
  /** Name of the machine that it ran on; undefined or 'local': this one. */
  readonly host?: string | undefined;
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
  lost: 'its host was lost',
};

/** The worker's process died while the call was (or may have been) running. */
export class WorkerCrashedError extends CallError implements CrashDetails {
  readonly pid: number;
  /** `'local'`, or the name of the machine that it ran on. */
  readonly host: string;
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly reason: CrashReason;
  /** True: the task had begun. 'maybe': it stood in the group being entered. */
  readonly started: true | 'maybe';
  /** The last lines that the process wrote to stderr. */
  readonly stderr: string;
  /** Errors of earlier attempts of an idempotent task. */
  readonly previous: readonly Error[];

  constructor(call: CallName, details: CrashDetails) {
    const how = details.signal ?? (details.exitCode === null ? '' : `exit code ${details.exitCode}`);
    const { host = 'local' } = details;
    const where = host === 'local' ? '' : `host ${host}, `;
    super(call, `failed: ${CRASH_TEXT[details.reason]} (${where}pid ${details.pid}${how && `, ${how}`})`, 'ERR_PACKET_WORKER_CRASHED');
    this.pid = details.pid;
    this.host = host;
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

/** A queue was full and this call's caller had the most calls waiting. */
export class WorkerBusyError extends CallError {
  readonly limit: 'maxQueue' | 'maxQueueBytes' | 'maxQueuePerCaller';

  constructor(call: CallName, limit: WorkerBusyError['limit'], size: number) {
    super(call, `was refused: ${limit} (${size} ${limit === 'maxQueueBytes' ? 'bytes' : 'calls'}) is reached`, 'ERR_PACKET_WORKER_BUSY');
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

/** Where `ask()` and `tell()` go: no task can be named so. */
const MAILBOX: ReadonlySet<string> = new Set(['ask', 'tell']);

/** The worker has no such task: only methods with `@Task` are callable, and `ask` and `tell` where there is an `@OnData`. */
export class TaskNotFoundError extends CallError {
  constructor(call: CallName) {
    const why = MAILBOX.has(call.task)
      ? 'finds no mailbox: the worker has no @OnData method, which is what ask and tell reach'
      : 'is not a task: only methods with @Task can be called';
    super(call, why, 'ERR_PACKET_TASK_NOT_FOUND');
  }
}

/** The worker was recycled while the stream ran. */
export class WorkerRecycledError extends CallError {
  constructor(call: CallName) {
    super(call, 'ended early: its worker was recycled', 'ERR_PACKET_WORKER_RECYCLED');
  }
}

/** No item was taken from the stream for `stallTimeout`. */
export class StreamStalledError extends CallError {
  readonly timeout: number;

  /** @param unread bytes that the streams of its process had unread, where that was too much */
  constructor(call: CallName, timeout: number, unread?: number) {
    const why =
      unread === undefined
        ? `its stream had no credit for ${timeout} ms`
        : `streams have ${unread} bytes unread, and this one most of them: take items as they come, or send smaller ones`;
    super(call, `was given up: ${why}`, 'ERR_PACKET_STREAM_STALLED');
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
