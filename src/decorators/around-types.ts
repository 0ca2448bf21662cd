import type { Remote } from '../endpoints/endpoint.js';
import type { Caller } from './worker/task-types.js';

/** Kinds of work that a function given to `@Around` can wrap. */
export type AroundKind = 'message' | 'request' | 'call' | 'task';

interface Wrapped<K extends AroundKind> {
  readonly kind: K;
  /** Name of the wrapped work: `'EvalConnection.evaluate'`, `'eval_worker.evaluate'`. */
  readonly name: string;
  /** Aborts when the result is not needed any more; undefined where nothing can abort it. */
  readonly signal: AbortSignal | undefined;
}

/** One message, on its way to the `@OnData` method that takes it. */
export interface MessageAround extends Wrapped<'message'> {
  /** The connection class. */
  readonly handler: string;
  /** The method. */
  readonly method: string;
  /** The connection's own instance of the class. */
  readonly instance: object;
  readonly connection: { readonly id: string; readonly remote: Remote };
  /** As the method gets it, after its schema. */
  readonly message: unknown;
}

/** One request, on its way to the method that answers it. */
export interface RequestAround extends Wrapped<'request'> {
  /** The connection class. */
  readonly handler: string;
  /** The method of the class. */
  readonly method: string;
  /** The request's own instance of the class. */
  readonly instance: object;
  readonly connection: { readonly id: string; readonly remote: Remote };
  readonly request: Request;
  /** The path as it was declared: `'/orders/:id'`; undefined where there are no routes. */
  readonly route: string | undefined;
}

/** One call to a worker, on its caller's side: before its input is checked and copied. */
export interface CallAround extends Wrapped<'call'> {
  readonly worker: string;
  readonly key: string | undefined;
  /** The task, or 'ask' or 'tell'. */
  readonly task: string;
  readonly input: unknown;
  /** Entries that travel with the call: those set here before `next()` do, too. */
  readonly carrier: Record<string, string>;
}

/** One task, in the worker, after its input was checked. */
export interface TaskAround extends Wrapped<'task'> {
  readonly worker: string;
  readonly key: string | undefined;
  /** The task, or 'ask' for the mailbox. */
  readonly task: string;
  readonly input: unknown;
  readonly signal: AbortSignal;
  readonly caller: Caller;
  /** When the caller stops waiting, in milliseconds since the epoch. */
  readonly deadline: number | undefined;
  readonly attempt: number;
  readonly carrier: Readonly<Record<string, string>>;
}

/** Argument of an `@Around` function; `kind` says which of the four it is. */
export type AroundContext = MessageAround | RequestAround | CallAround | TaskAround;

/** How `next()` runs what is wrapped. */
export interface NextOptions {
  /** Aborting it aborts a call, as its own signal does. Messages, requests and tasks do not hear of it. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs what is wrapped and gives what it gives: a value, a promise of one, or an async iterable. It may be called again (a retry), or not at
 * all (a guard that throws, a cache that answers).
 */
export type Next = (options?: NextOptions) => unknown;

/**
 * Stands around a message, a request, a call or a task. What it returns (or throws) is the result.
 * @example const timed: AroundFunction = async (context, next) => {
 *   const began = performance.now();
 *   try { return await next(); } finally { record(context.name, performance.now() - began); }
 * };
 */
export type AroundFunction = (context: AroundContext, next: Next) => unknown;

/** Decorator returned by `@Around(fn)`, for a class or a method. */
export interface AroundDecorator {
  // oxlint-disable-next-line typescript/no-explicit-any -- any class
  (target: abstract new (...args: any[]) => object): void;
  (target: object, key: PropertyKey, descriptor?: PropertyDescriptor): void;
}
