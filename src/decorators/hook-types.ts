import type { AnyFunction } from './ctor.js';

/** Decorates a public or protected method that looks like `F`. Legal as a plain function, too. */
export type Method<F extends AnyFunction> = <M extends F>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<M>,
) => void;

/** The address of one side of a connection. */
export interface Remote {
  readonly url: string;
  readonly address?: string | undefined;
  readonly port?: number | undefined;
  readonly path?: string | undefined;
  readonly pid?: number | undefined;
}

/** The operation that failed, for `@OnError`. */
export interface About {
  readonly during: 'message' | 'schema' | 'encode' | 'hook' | 'timer' | 'worker' | 'framing' | 'socket';
  /** The decorator of the hook that failed, `'OnConnect'` for instance, where `during` is 'hook'. */
  readonly hook?: string | undefined;
  /** The message that was being handled. */
  readonly message?: unknown;
  /** On udp, the sender of the message: `@OnError`'s return value is sent there. */
  readonly from?: Remote | undefined;
}

/** Why a connection is over, for `@OnClose`. */
export interface CloseReason {
  readonly by: 'peer' | 'local' | 'error' | 'timeout' | 'limit' | 'shutdown' | 'handoff';
  /** The error's code, the name of the limit or timeout, or 'END'; a stable word. */
  readonly code: string;
  readonly error?: Error | undefined;
}

/** How the child of `exec()` ended, for `@OnExit`. */
export interface ExitStatus {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Where an event came from, for `@OnWorkerEvent`. */
export interface WorkerOrigin {
  /** The worker's name. */
  readonly worker: string;
  readonly key: string | undefined;
  readonly task: string;
  /** The `tag` that the call was given. */
  readonly tag: unknown;
}
