import type { CloseSummary } from '../decorators/connection/close-types.js';
import type { CloseReason } from '../decorators/hook-types.js';
import type { BoundAddress, Remote } from '../endpoints/endpoint.js';

/** Most events belong to one application of the process. */
interface OfApp {
  /** Its name, as `app.name` has it. */
  readonly app: string;
}

/** An event of a listener or connection class. */
interface OfHandler extends OfApp {
  /** The name of the class; 'mounted' for what `mount()` serves. */
  readonly handler: string;
}

/** An event of one connection or request. */
interface OfConnection extends OfHandler {
  /** `peer.id`, or the id of a request: never reused in this process. */
  readonly connection: string;
}

/** An event of a started worker. */
interface OfPool extends OfApp {
  /** The worker's name. */
  readonly worker: string;
  readonly key: string | undefined;
}

/** An event of one process of a worker. */
interface OfProcess extends OfPool {
  /** The id of the process, as `workers.status()` has it: never reused. */
  readonly process: string;
  /** Its pid in the system; inline workers and threads have that of the master. */
  readonly workerPid: number;
  /** `'local'`, or the name of the machine that it runs on. */
  readonly host: string;
}

/** An error that no caller hears of. */
interface Failed {
  readonly error: Error;
}

/**
 * Every event of `node:diagnostics_channel` by its name, which is `packet-ts:` and the key here. What is undefined is not known there.
 * @example diagnostics_channel.subscribe('packet-ts:worker.exit', event => alert((event as Events['worker.exit']).reason))
 */
export interface Events {
  /** An endpoint is bound. */
  'listener.open': OfHandler & { readonly address: BoundAddress };
  'listener.close': OfHandler & { readonly url: string | undefined };
  /** A connection was refused before it became one. */
  'listener.reject': Partial<OfHandler> & {
    readonly url: string | undefined;
    /** The limit or option that says so, 'unavailable', 'handshake' … */
    readonly reason: string;
    /** In words, where there is more to say. */
    readonly why?: string | undefined;
    readonly remote: Remote | undefined;
    readonly error?: unknown;
  };
  'listener.error': Partial<OfHandler> & { readonly url: string | undefined; readonly error: Error };

  'connection.open': OfConnection & { readonly remote: Remote; readonly local?: Remote | undefined };
  /** STARTTLS is done. */
  'connection.secure': OfConnection & { readonly protocol: string | undefined };
  'connection.close': OfConnection & CloseReason;
  /** An error that no `@OnError` took. */
  'connection.error': Partial<OfConnection> & {
    /** As `about.during` of `@OnError`. */
    readonly during: string;
    readonly hook?: string | undefined;
    /** On udp, the url of the message's sender. */
    readonly from?: string | undefined;
    readonly error: Error;
  };
  /** A limit was reached: the connection is closed for it. */
  'connection.limit': Partial<OfConnection> & { readonly limit: string; readonly remote?: Remote | undefined };
  /** A line that the command of `exec()` wrote to its stderr. */
  'connection.output': { readonly url: string; readonly commandPid: number | undefined; readonly line: string };

  /** About the whole process: hardly a file descriptor is left, or there are some again. */
  'descriptors.scarce': { readonly limit: number; readonly used: number; readonly reserve: number };
  'descriptors.enough': { readonly limit: number; readonly used: number; readonly reserve: number };

  'dialer.up': OfHandler & { readonly url: string; readonly attempts: number };
  'dialer.down': OfHandler & { readonly url: string; readonly why: CloseReason | Error };

  'worker.start': OfProcess;
  'worker.ready': OfProcess;
  'worker.exit': OfProcess & {
    readonly exitCode: number | null;
    readonly signal: NodeJS.Signals | null;
    readonly reason: string;
    readonly error: Error | undefined;
    /** The process was told to stop. */
    readonly expected: boolean;
  };
  /** A process has started in place of one that died. */
  'worker.restart': OfProcess;
  /** No process can be started: calls are refused until one can. */
  'worker.gave-up': OfPool & Failed;
  /** A line of stdout or stderr. */
  'worker.output': OfProcess & { readonly stream: 'stdout' | 'stderr'; readonly line: string };
  /** A record of a logger that was injected in the worker. */
  'worker.log': OfProcess & {
    /** pino's number: 10 trace, 20 debug, 30 info, 40 warn, 50 error, 60 fatal. */
    readonly level: number;
    /** When it was logged there, in milliseconds since the epoch. */
    readonly time: number;
    /** The task that was running; undefined outside of calls. */
    readonly task: string | undefined;
    /** The connection that made its call. */
    readonly connection: string | undefined;
    /** The logged object, with the bindings of the logger. */
    readonly record: Readonly<Record<string, unknown>>;
    readonly message: string | undefined;
    /** Records before this one that were not sent: more than the master takes. */
    readonly untold: number;
  };
  /** An error that no call of it can be blamed for. */
  'worker.error': OfProcess & Failed & { /** Errors before this one that were not told. */ readonly untold?: number | undefined };
  /** A worker sent a message, and neither a proxy nor `workers.on('message')` takes it. */
  'worker.message': OfProcess;

  /** A call whose process died is tried again. */
  'call.retry': OfProcess & { readonly task: string; /** 2 for the first repetition. */ readonly attempt: number };
  /** The answer, or failure, of a `tell` that nothing listens to. */
  'call.dropped': OfApp & {
    readonly what: 'answer' | 'failure';
    readonly worker: string;
    readonly key: string | undefined;
    readonly handler?: string | undefined;
    readonly connection?: string | undefined;
    readonly error: Error | undefined;
  };

  /** Items of a channel that reaches other processes did not arrive there; told when the next one does. */
  'channel.lost': OfApp & { readonly channel: string; readonly lost: number; readonly why: string };

  /** The mesh can be reached again, or not. */
  'mesh.up': OfApp & { readonly namespace: string };
  'mesh.down': OfApp & { readonly namespace: string };
  /** Something of the mesh failed: the link of a caller to a worker of this host, what its server refuses. */
  'mesh.error': Failed & {
    readonly host?: string | undefined;
    readonly worker?: string | undefined;
    readonly subject?: string | undefined;
    readonly channel?: string | undefined;
    readonly user?: string | undefined;
  };

  /** A timer failed, and no `@OnError` took it. */
  'timer.error': Partial<OfConnection> & Failed & { /** The method. */ readonly timer?: string | undefined };
  /** A hook, listener or disposal failed, and no `@OnError` took it. */
  'hook.error': Partial<OfConnection> &
    Failed & {
      /** Its decorator or method, or what it listens to. */
      readonly hook: string;
      readonly worker?: string | undefined;
      readonly key?: string | undefined;
      readonly task?: string | undefined;
    };

  /** Everything is started and listens. */
  'app.start': OfApp & { readonly pid: number };
  /** The application has begun to close: `health().ready` is false from here on. `delay`: milliseconds for which it goes on listening. */
  'app.closing': OfApp & { readonly delay: number };
  'app.close': OfApp & CloseSummary;
  /** Something that works, and is probably not meant. */
  'app.warning': Partial<OfApp> & { readonly message: string; readonly worker?: string | undefined; readonly error?: unknown };
}

/** The names of all events, without `packet-ts:`. */
export type EventName = keyof Events;
