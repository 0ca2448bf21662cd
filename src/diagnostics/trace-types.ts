import type { Caller } from '../decorators/worker/task-types.js';
import type { Remote } from '../endpoints/endpoint.js';

/** How something traced ended. */
export interface TraceEnd {
  /** When it ended, in milliseconds since the epoch; undefined while it goes on. */
  ended: number | undefined;
  /** The error that it failed with. */
  error?: Error | undefined;
  /** The `code` of that error, or its name. */
  code: string | undefined;
}

/**
 * How a call ended: `done`, `crashed` (its process died), `timedOut` (its hard timeout), `refused` (it was never begun: a full queue, a
 * worker that is not there), `failed` for every other error.
 */
export type CallOutcome = 'done' | 'failed' | 'crashed' | 'timedOut' | 'refused';

/** Message of the channels `tracing:packet-ts:call:…`: one object for each call, filled in as the call goes on. */
export interface CallTrace extends TraceEnd {
  readonly app: string;
  readonly worker: string;
  readonly key: string | undefined;
  /** The task, or 'ask' or 'tell'. */
  readonly task: string;
  readonly caller: Caller;
  /** The call in whose task it was made. */
  readonly parent: CallTrace | undefined;
  /** Entries that travel with the call. Entries that are set while `start` is published do, too. */
  readonly carrier: Record<string, string>;
  /** The process that has it, as `workers.status()` names it, and its pid; undefined until it has one. */
  process: string | undefined;
  workerPid: number | undefined;
  /** 1, or more where its process died and it was tried again. */
  attempt: number;
  /** Milliseconds since the epoch: it was made, its process began. */
  readonly queued: number;
  started: number | undefined;
  outcome: CallOutcome | undefined;
  /** Bytes of its argument and of its answers, about; 0 for small values that are not copied. */
  readonly bytes: { sent: number; received: number };
}

/** Message of the channels `tracing:packet-ts:message:…`. */
export interface MessageTrace extends TraceEnd {
  readonly app: string;
  /** The connection class. */
  readonly handler: string;
  readonly connection: string;
  readonly remote: Remote;
  /** Milliseconds since the epoch. */
  readonly started: number;
  outcome: 'done' | 'failed' | undefined;
}

/** Message of the channels `tracing:packet-ts:request:…`. */
export interface RequestTrace extends TraceEnd {
  readonly app: string;
  /** The connection class. */
  readonly handler: string;
  /** The id of the request. */
  readonly connection: string;
  readonly remote: Remote;
  readonly method: string;
  /** The path with its query, as the client sent it. */
  readonly target: string;
  /** The path as it was declared: `'/orders/:id'`; undefined where there are no routes. */
  route: string | undefined;
  /** Headers by name in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Milliseconds since the epoch. */
  readonly started: number;
  /** Milliseconds from `started` to `ended`. */
  duration: number | undefined;
  /** The status that was sent; undefined where the client left before. */
  status: number | undefined;
  outcome: 'done' | 'failed' | undefined;
  /** Bytes that its socket read and wrote from `started` to `ended`: of pipelined requests those of the others, too. */
  readonly bytes: { received: number; sent: number };
}
