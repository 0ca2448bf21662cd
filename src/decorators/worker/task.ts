import type { AnySchema, SchemaIn, SchemaOut } from '../../schema.js';
import { isObject } from '../../option-rules.js';
import type { Duration, Off } from '../../units.js';
import type { AnyFunction, Mismatch } from '../ctor.js';
import { onMember } from '../metadata.js';
import type { EventSchemas, Payloads, Reserved, TaskContext } from './task-types.js';

/** Names that a task cannot have: a worker client has them already, or the language asks every object for them. */
export const RESERVED_TASK_NAMES: readonly string[] = ['ask', 'tell', 'close', 'then', 'constructor', 'toJSON'] satisfies Reserved[];

type Maybe = AnySchema | undefined;
type Arg<I> = [I] extends [AnySchema] ? SchemaOut<I> : undefined;
type ChunkArg<C> = [C] extends [AnySchema] ? SchemaOut<C> : never;
type Single<O> = O extends AnySchema ? SchemaIn<O> | Promise<SchemaIn<O>> : void | Promise<void>;

/** A schema whose output it would not take as input makes the client's types lie: the value is checked on one side only. */
type Stable<S> = [S] extends [AnySchema]
  ? [SchemaOut<S>] extends [SchemaIn<S>]
    ? unknown
    : Mismatch<'a task schema may narrow, default or brand, not change type'>
  : unknown;

/** The constraint on `target` refuses methods that are not public, and reserved names. */
type OnTask<F extends AnyFunction> = <K extends string, M extends F>(
  target: { [P in K]: unknown } & (K extends Reserved ? Mismatch<'this name cannot be a task'> : unknown),
  key: K,
  descriptor: TypedPropertyDescriptor<M>,
) => void;

interface TaskOptions<I, R, E> {
  /** Schema of the task's input. Without: it takes none. */
  input?: I;
  /** Schema of an item of the caller's input stream: `context.incoming`. */
  receives?: R;
  /** Schemas of the events that the task may emit, by name. */
  events?: E;
  /** The task may run twice: it is tried again after a crash. */
  idempotent?: boolean;
  /** How often an idempotent task is tried again. Default 1. */
  retries?: number;
  /** Overrides the worker's. */
  timeout?: Duration | Off;
  /** Overrides the worker's. */
  softTimeout?: Duration | Off;
}

/**
 * Makes a public method of a worker callable from other processes. `output`: it answers once; `yields`, in its place: an `async *` method.
 * Without `input` it is called without one; without `output` it must return nothing. A method that disagrees with its schemas does not
 * compile.
 * @example @Task({ input: z.string().max(1_000_000), output: z.string() }) evaluate(source: string): string { … }
 * @example @Task({ input: z.int(), yields: z.int() }) async *count(to: number, { signal }: TaskContext) { … }
 */
export function Task<
  Y extends AnySchema,
  I extends Maybe = undefined,
  R extends Maybe = undefined,
  E extends EventSchemas = Record<never, never>,
>(
  options: TaskOptions<I & Stable<I>, R & Stable<R>, E> & { yields: Y & Stable<Y> },
): OnTask<(input: Arg<I>, context: TaskContext<Payloads<E>, ChunkArg<R>>) => AsyncIterable<SchemaIn<Y>>>;
export function Task<
  O extends Maybe = undefined,
  I extends Maybe = undefined,
  R extends Maybe = undefined,
  E extends EventSchemas = Record<never, never>,
>(
  options?: TaskOptions<I & Stable<I>, R & Stable<R>, E> & { output?: O & Stable<O>; yields?: never },
): OnTask<(input: Arg<I>, context: TaskContext<Payloads<E>, ChunkArg<R>>) => Single<O>>;
export function Task(...given: readonly unknown[]): (target: object, key: string) => void {
  const [options = {}] = given;
  return onMember({ decorator: 'Task', options: isObject(options) ? { ...options } : options }, given);
}
