import type { Remote } from '../../endpoints/endpoint.js';
import type { Ctor, IsAny } from '../ctor.js';
import type { AnySchema, SchemaIn, SchemaOut } from '../../schema.js';

/** Names that a task cannot have: a worker client has them already, or the language asks objects for them. */
export type Reserved = 'ask' | 'tell' | 'close' | 'then' | 'constructor' | 'toJSON';

/** The caller of a task, as the task sees it. */
export interface Caller {
  readonly connection?: { readonly id: string; readonly remote: Remote } | undefined;
  readonly worker?: { readonly name: string; readonly key: string | undefined } | undefined;
}

declare const eventsBrand: unique symbol;

/**
 * A task's second parameter. Everything on it is bound: it may be taken apart.
 * `Events`: what it may emit, by name; `Chunk`: what the caller streams in.
 * @example async *count(to: number, { signal, emit }: TaskContext<{ progress: number }>) { … }
 */
// oxlint-disable-next-line typescript/no-empty-object-type -- no events
export interface TaskContext<Events extends object = {}, Chunk = never> {
  /** Aborts when the caller gives up, or at `softTimeout`. */
  readonly signal: AbortSignal;
  /** The caller's input stream, item by item; empty for a task that `receives` nothing. */
  readonly incoming: AsyncIterable<Chunk>;
  readonly caller: Caller;
  /** When the caller stops waiting, in milliseconds since the epoch. */
  readonly deadline: number | undefined;
  /** 1 for the first attempt; more only for an idempotent task whose process crashed. */
  readonly attempt: number;
  /** The `carrier` of the call; calls that the task makes inherit it. Names and values, at most 4 KB of them. */
  readonly carrier: Readonly<Record<string, string>>;
  /**
   * Tells the caller something before the answer: it leaves at once, also while the task awaits nothing, and the answer follows the last
   * event. Resolves when there is room for the next one: await it where there are many. Rejects where it is not sent: AbortError once the
   * caller has given up, UsageError once the task has returned. Throws BoundaryError (with `validate: 'both'`), NotCloneableError and,
   * where four times `maxMessageSize` waits already, LimitError.
   */
  emit<N extends keyof Events & string>(event: N, payload: Events[N]): Promise<void>;
  /** Exists in types only: a context cannot be taken for one of a task that declares more events. */
  readonly [eventsBrand]?: Events;
  /**
   * Sets the value that `workers.status()` shows of this process; only the latest counts. Shown at once, also while the task awaits
   * nothing.
   */
  status(value: unknown): void;
}

/** The `events` option of `@Task`. */
export type EventSchemas = Readonly<Record<string, AnySchema>>;
/** The payloads of declared events. */
export type Payloads<E> = { [N in keyof E]: SchemaOut<E[N]> };

declare const optionsBrand: unique symbol;

type Parsed<T> = T extends AnySchema ? SchemaOut<T> : T;
type Taken<T> = T extends AnySchema ? SchemaIn<T> : T;

/**
 * The parameter that `@InjectOptions()` fills: what `startOptions` left of what `workers.start(W, { options })` was given, and what that
 * call then requires. Where the schema has defaults or transforms, the call takes something else than the worker gets: name the schema.
 * @example constructor(@InjectOptions() private readonly options: Options<TenantOptions>) {}
 * @example constructor(@InjectOptions() private readonly options: Options<typeof tenantSchema>) {}
 */
export type Options<T, Given = Taken<T>> = Parsed<T> & { readonly [optionsBrand]?: readonly [Given] };

type OptionsIn<P> =
  IsAny<P> extends true
    ? never
    : P extends unknown
      ? typeof optionsBrand extends keyof P
        ? NonNullable<P[typeof optionsBrand & keyof P]> extends readonly [infer Given]
          ? Given
          : never
        : never
      : never;
/** The start options that a worker class declares, as they are given; never where it declares none. */
export type OptionsOf<C> = EachOptions<ConstructorParameters<C extends Ctor ? C : never>>;
type EachOptions<A extends readonly unknown[]> = { [I in keyof A]-?: OptionsIn<A[I]> }[number];
/** The field of `start()` and `spawn()` that carries them: it may be left out where they may be undefined. */
export type OptionsField<O> = undefined extends O ? { options?: O } : { options: O };
/** The argument with that field: it may be left out as a whole where the field may be. */
export type OptionsArg<O, Rest> = [O] extends [never]
  ? [options?: Rest]
  : undefined extends O
    ? [options?: Rest & OptionsField<O>]
    : [options: Rest & OptionsField<O>];
