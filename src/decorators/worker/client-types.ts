import type { Duration } from '../../units.js';
import type { AnyFunction } from '../ctor.js';
import type { Reserved, TaskContext } from './task-types.js';

/** Options of every call. */
export interface CallBase {
  /** Aborting it rejects the call with an AbortError at once and aborts the task's signal. */
  signal?: AbortSignal | undefined;
  /** Shortens the worker's `timeout`; the same clock. For a total use `AbortSignal.timeout()`. */
  timeout?: Duration | undefined;
  /** Which started worker of that class: `workers.start(W, { key })`. */
  key?: string | undefined;
  /** Calls of equal affinity run one at a time, in order, on one process. */
  affinity?: string | undefined;
  /** Whose turn it takes in the fair queue, instead of the client's owner. */
  caller?: string | undefined;
  /**
   * Travels with the call: `context.carrier` of its task, and inherited by the calls that the task makes. Names and values, at most 4 KB
   * of them (UsageError beyond).
   */
  carrier?: Readonly<Record<string, string>> | undefined;
  /** Comes back with the call's events. */
  tag?: unknown;
}

/** The input stream of a call to a task that `receives`. */
export type Sendable<Chunk> = AsyncIterable<Chunk> | Iterable<Chunk>;

/** The options of one call: `on` where the task has events, `send` where it receives. */
// oxlint-disable-next-line typescript/no-empty-object-type -- no events
export type CallOptions<Events extends object = {}, Chunk = never> = CallBase &
  ([keyof Events] extends [never]
    ? unknown
    : {
        /** Listeners of the task's events, by name. */
        on?: { [N in keyof Events]?: (payload: Events[N]) => unknown } | undefined;
      }) &
  ([Chunk] extends [never] ? unknown : { send: Sendable<Chunk> });

// oxlint-disable-next-line typescript/no-explicit-any -- inference needs any in the places it skips
type ContextOf<F> = F extends (input: any, context: infer C, ...rest: any[]) => any ? C : never;
// oxlint-disable-next-line typescript/no-explicit-any, typescript/no-empty-object-type -- the same
type EventsIn<F> = F extends any ? (ContextOf<F> extends TaskContext<infer E, any> ? E : {}) : never;
// oxlint-disable-next-line typescript/no-explicit-any -- the same
type ChunkIn<F> = ContextOf<F> extends TaskContext<any, infer C> ? C : never;
type OptionsArgs<F> = [ChunkIn<F>] extends [never] ? [options?: CallOptions<EventsIn<F>>] : [options: CallOptions<EventsIn<F>, ChunkIn<F>>];
/** In brackets: an answer of several types is one promise, not one of several. `any` is an answer like any other. */
type Answer<R> = 0 extends 1 & R ? Promise<R> : [R] extends [AsyncIterable<infer Item>] ? AsyncIterable<Item> : Promise<Awaited<R>>;

/** Type of a task's input; undefined where it takes none. */
export type InputOf<F> = F extends (...args: infer A) => unknown ? FirstOf<A> : never;
type FirstOf<A extends unknown[]> = A extends []
  ? undefined
  : A extends [infer I, ...unknown[]]
    ? I
    : A extends [(infer I)?, ...unknown[]]
      ? I | undefined
      : undefined;
/** Return type of a call of a task: a promise, or a stream. */
export type ResultOf<F> = F extends (...args: never[]) => infer R ? Answer<R> : never;

type CallArgs<F, Rest extends unknown[]> =
  undefined extends InputOf<F>
    ? Rest extends [infer X]
      ? [input: InputOf<F>, options: X]
      : [input?: InputOf<F>, ...rest: Rest]
    : [input: InputOf<F>, ...rest: Rest];

/** The public methods of a worker class: its tasks. */
export type TaskNames<W> = {
  [K in keyof W]: K extends string ? (K extends Reserved ? never : W[K] extends AnyFunction ? K : never) : never;
}[keyof W];

/** Untyped messages to a worker's `@OnData`. */
export interface Mailbox {
  /** Rejects like a task call. The answer is `unknown`: parse it. */
  ask(data: unknown, options?: CallBase): Promise<unknown>;
  /** The answer goes to `@OnWorkerData`, a failure to `@OnError`. Throws only what the call itself does wrong. Never aborted. */
  tell(data: unknown, options?: CallBase): void;
}

/**
 * A method for each task of a worker class. A mapped type over `keyof W` itself keeps the link to the class: an editor shows the task's own
 * doc comment, goes to its definition and renames it.
 */
export type WorkerTasks<W> = {
  readonly [K in keyof W as K extends TaskNames<W> ? K : never]: (...args: CallArgs<W[K], OptionsArgs<W[K]>>) => ResultOf<W[K]>;
};

/**
 * Client injected by `@InjectWorker(W)` and returned by `spawn(W)`: the worker's tasks as calls into its process, and its mailbox.
 * @example constructor(@InjectWorker(EvalWorker) private readonly evaluator: WorkerClient<EvalWorker>) {}
 */
export type WorkerClient<W> = WorkerTasks<W> & Mailbox;

type KeyOfEach<T> = T extends unknown ? keyof T : never;
type PickOfEach<U, N> = U extends unknown ? (N extends keyof U ? U[N] : never) : never;

/** The events of all tasks of a worker class by name. Two tasks may emit the same one: the payload is the union. */
export type EventsOf<W> = { [N in KeyOfEach<EventsIn<W[keyof W]>> & string]: PickOfEach<EventsIn<W[keyof W]>, N> };
