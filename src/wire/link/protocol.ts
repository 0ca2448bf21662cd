/** Ends of listening: no more of it; and shut down what is open; another process accepts there, and requests are told to ask it. */
export const StopHow = { accepting: 0, all: 1, handOver: 2 } as const;
export type StopHow = (typeof StopHow)[keyof typeof StopHow];

/**
 * The protocol between master and worker over their link.
 *
 * Life of a link: master BOOT → worker HELLO (once its module is imported) → READY (after `@OnStart`) or FAILURE id 0
 * → calls → master STOP → worker runs `@OnStop`, flushes, ends.
 *
 * Calls are named by the side that makes them: the master's ids count 1, 2, 3 … per link and are also the sequence that the started
 * mark counts; ids with the top bit set are calls that the worker makes (to other workers, through the master).
 */
export const PROTOCOL_VERSION = 2;

export const Kind = {
  /** M→W, first. value: {@link BootMessage}. */
  BOOT: 1,
  /** W→M, first. value: {@link HelloMessage}. */
  HELLO: 2,
  /** W→M: takes calls from now on. */
  READY: 3,
  /** Caller→callee. arg: index of the task in the callee's HELLO (see CallFlag for its upper bits). value: the input. */
  CALL: 4,
  /** Callee→caller: the call's answer. Settles it. arg: microseconds that it took there. */
  REPLY: 5,
  /** Callee→caller: the call's error. Settles it. id 0: the worker could not start. */
  FAILURE: 6,
  /** Either: one item of the stream of that call. With arg 1 it flows from the caller to the callee (`send`). Costs credit: one, and its bytes. */
  ITEM: 7,
  /** Either: the stream of that call has ended. arg as in ITEM. From the callee it settles the call. */
  END: 8,
  /** Either: the receiver has room for `arg & 0xffffff` more. Upper 8 bits: CreditKind of wire/credit. value: for so many more bytes of their values. */
  CREDIT: 9,
  /** Caller→callee: arg 0 the caller gave up; 1 its softTimeout has passed (the task's signal aborts, the caller still waits); 2 leave the stream (return()). */
  CANCEL: 10,
  /** W→M: a call that was cancelled before it began will not begin. Settles it for the accounts. */
  DROPPED: 11,
  /** Callee→caller: value [name, payload]. Costs credit for events; each call has its own. None after the call is settled. */
  EVENT: 12,
  /** W→M: value: what status() was given, at most {@link MOST_STATUS} bytes; only the latest counts. */
  STATUS: 13,
  /** Either: value: `ask` (arg 0) or `tell` (arg 1) to the mailbox. Answered like a call. */
  MAIL: 14,
  /** W→M: value: what Master.send was given. Costs credit for unasked messages. */
  MESSAGE: 15,
  /** M→W. Answered by PONG with the same id and arg. */
  PING: 16,
  PONG: 17,
  /** M→W: run @OnStop, flush, end the link, exit. */
  STOP: 18,
  /** W→M: a stray error (uncaught exception with no call running, timer): value the error. arg 1: the process ends for it. */
  STRAY: 19,
  /** W→M: a call to another worker. arg 0 task, 1 ask, 2 tell. value {@link NestedCallMessage}. id has the top bit set. */
  NESTED_CALL: 20,
  /**
   * M→W: value {@link SocketMessage}. The socket itself comes over the socket channel under the same id (sockets count by themselves, 1, 2, 3 … per
   * link). Answered by exactly one SOCKET_ACK; the worker does not touch it before SOCKET_COMMIT.
   */
  SOCKET: 21,
  /** W→M: arg 0: it is here. arg 1: it is not wanted, or was called back before it came. */
  SOCKET_ACK: 22,
  /**
   * M→W, right before a CALL or MAIL of the same id: value {@link CallMeta}. A message of its own, because the input was encoded
   * when the call was made and what the context says is known only at dispatch.
   */
  META: 23,
  /** W→M: arg: how many connections the worker has open now; id: how many of them came in. One that has some is not idle. */
  CONNECTIONS: 24,
  /** M→W: arg 0: take the socket and begin; the master closes its copy. arg 1: drop it, another process has it. */
  SOCKET_COMMIT: 25,
  /** W→M: the connection of that socket is over. */
  SOCKET_CLOSED: 26,
  /** M→W: stop listening; arg {@link StopHow}: and end the connections that are open. */
  STOP_LISTENING: 27,
  /** W→M: the answer to a STOP_LISTENING of the same arg, which is not `accepting`. */
  DRAINED: 28,
  /** W→M: value {@link ListensMessage}: it listens by itself. */
  LISTENS: 29,
  /** W→M, from another machine: it takes no more calls; STOP follows when those it has are answered. */
  LEAVE: 30,
  /** Either, id {@link UPWARD}: value [name, item]: published on a channel. From a worker arg 1: for the application, 2: for all machines. */
  PUBLISH: 31,
  /** W→M, id {@link UPWARD}: value: a channel's name. arg as in PUBLISH: its items are wanted there from now on; 0: no longer. */
  SUBSCRIBE: 32,
  /**
   * W→M: a record of the worker's logger. id: the call in which it was logged, or 0. arg: pino's number of its level. value: [milliseconds since
   * the epoch, what was logged, the message, how many before it were dropped], at most {@link MOST_RECORD} bytes. Costs credit for records.
   */
  LOG: 33,
  /** W→M, from another machine: value: one of its processes has ended, see `processEndMessage`. */
  ENDED: 34,
  /**
   * Either: a profile of the process. id: its number, 1, 2, 3 … per link. arg: {@link ProfileStep}. Each `take` is answered by exactly one `end`
   * or `failed`. Its bytes cost credit for profiles.
   */
  PROFILE: 35,
  /** M→W. arg: pino's number of the least level from now on: records below it are not sent. */
  LOG_LEVEL: 36,
} as const;

/** Upper bits of CALL's arg; the lower 16 are the task's index. */
export const CallFlag = {
  /** A {@link Kind.META} of the same id came right before. */
  META: 0x1_0000,
  /** The caller will stream ITEMs in. */
  SENDS: 0x2_0000,
} as const;

/** arg of PROFILE. */
export const ProfileStep = {
  /** M→W. value: ProfileRequest of profiling/. */
  take: 0,
  /** M→W: no more of it is wanted. */
  leave: 1,
  /** W→M: a CPU profile runs, or the process will stand still now for a heap snapshot. */
  begun: 2,
  /** W→M. value: the next bytes. */
  bytes: 3,
  /** W→M: that were all. */
  end: 4,
  /** W→M. value: why it cannot be had. */
  failed: 5,
} as const;

/** Ids of calls made by the worker have this bit. */
export const UPWARD = 0x8000_0000;

/** The last number that a call of the master can have: a process that was given so many is replaced. */
export const LAST_CALL = UPWARD - 1;

/** The most characters of each name in {@link NestedCallMessage}: they are keys of the master's tables. */
export const MOST_NAME = 1024;

/** The most bytes of a record that LOG may bring. */
export const MOST_RECORD = 64 * 1024;

/** The most bytes of a value that STATUS may bring: the master keeps the latest of every process. */
export const MOST_STATUS = 64 * 1024;

/** The most bytes of the error that STRAY may bring: nothing asked for it, and the master decodes it to tell of it. */
export const MOST_STRAY = 256 * 1024;

/** The most bytes of a piece of a profile that PROFILE may bring. */
export const MOST_PROFILE_PIECE = 48 * 1024;

/**
 * The most bytes of messages that users do not write, by kind: `maxMessageSize` may be smaller. A worker learns that limit behind HELLO, and
 * why it could not start is told with or without it.
 */
export const OWN_LIMITS: ReadonlyMap<number, number> = new Map([
  [Kind.HELLO, 1024 * 1024],
  [Kind.FAILURE, MOST_STRAY],
  [Kind.STRAY, MOST_STRAY],
  // Its values, and the time, the message's words and the count around them.
  [Kind.LOG, MOST_RECORD + 256],
  [Kind.PROFILE, MOST_PROFILE_PIECE],
]);

/** Everything that a worker must know to become one. */
export interface BootMessage {
  readonly version: number;
  /** The name of the application, for events. */
  readonly app: string;
  readonly name: string;
  readonly key: string | undefined;
  /** url of the module to import. */
  readonly source: string;
  readonly options: unknown;
  readonly concurrency: number;
  readonly maxMessageSize: number;
  readonly stallTimeout: number;
  /** Default of tasks without their own, in milliseconds: the limit that the error of an aborted signal names. */
  readonly softTimeout: number;
  readonly validate: 'receiver' | 'both' | 'off';
  /** Records below it are not sent: pino's number. */
  readonly logLevel: number;
  /** The endpoints of each of its connection classes, as the master read them. Undefined: the master did not, the worker reads its own. */
  readonly listen?: readonly (readonly ListenPlan[])[] | undefined;
  /** Names and tasks of the other workers of the application: what injected clients may call. `streams`: the tasks among them that answer with a stream. */
  readonly workers: readonly {
    readonly name: string;
    readonly tasks: readonly string[];
    readonly streams?: readonly string[] | undefined;
    /** The events of each task that has some. */
    readonly events?: readonly (readonly [task: string, events: readonly string[]])[] | undefined;
    /** The tasks that take a stream. */
    readonly receives?: readonly string[] | undefined;
  }[];
  /** To another machine: its caller's own view of the tasks, see `signatureOf`. */
  readonly signature?: Readonly<Record<string, string>> | undefined;
}

/** One listening endpoint of a worker, with the process that binds it. */
export interface ListenPlan {
  readonly url: string;
  /** master: it gives the worker sockets to serve, or to accept from. worker: the worker itself. */
  readonly by: 'master' | 'worker';
}

/** A socket for a worker. */
export interface SocketMessage {
  /** deal: it was accepted. share: it listens, and is accepted from. move: a live connection, handed off. */
  readonly how: 'deal' | 'share' | 'move';
  /** Which of the worker's connection classes it is for, in the order of their declaration. */
  readonly connection: number;
  /** Which of its endpoints. Not for moved ones. */
  readonly endpoint: number;
  /** Where it came in, or was bound. */
  readonly url: string;
  /** Bytes that were received and not handled; they come first. */
  readonly rest?: Uint8Array | undefined;
  /** The value of `peer.data`. */
  readonly data?: object | undefined;
}

/** Where a worker listens by itself: at an endpoint that cannot be accepted for by others. */
export interface ListensMessage {
  readonly connection: number;
  readonly endpoint: number;
  readonly address: { readonly url: string; readonly host: string; readonly port: number; readonly path?: string | undefined };
}

export interface HelloMessage {
  readonly version: number;
  readonly name: string;
  readonly pid: number;
  /** In the order in which CALL's arg counts them. */
  readonly tasks: readonly string[];
  /** For each task, whether its method looks at the context, so that CALL brings META. */
  readonly context: readonly boolean[];
  /** Whether the mailbox's method looks at the context. */
  readonly mail: boolean;
}

/** The task's context, sent only to tasks that look at it. */
export interface CallMeta {
  readonly caller?: unknown;
  readonly deadline?: number | undefined;
  readonly attempt?: number | undefined;
  readonly carrier?: Readonly<Record<string, string>> | undefined;
}

/** The context of a call to another machine. No clock is compared: time travels as what is left of it. */
export interface RemoteMeta extends Omit<CallMeta, 'deadline'> {
  /** Milliseconds until the deadline. */
  readonly remaining?: number | undefined;
  /** Milliseconds: the caller's own limit, where it is shorter than the task's. */
  readonly timeout?: number | undefined;
  readonly affinity?: string | undefined;
}

export interface NestedCallMessage {
  readonly worker: string;
  readonly key?: string | undefined;
  readonly task?: string | undefined;
  readonly input: unknown;
  /** The id of the call in whose task it was made, where that is known: deadline, signal and cycle check come from there. */
  readonly parent?: number | undefined;
  readonly timeout?: number | undefined;
  readonly affinity?: string | undefined;
  readonly caller?: string | undefined;
  readonly sends?: boolean | undefined;
  /** Added to that of the parent. */
  readonly carrier?: Readonly<Record<string, string>> | undefined;
}
