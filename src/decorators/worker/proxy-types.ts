import type { Ctor, Mismatch } from '../ctor.js';
import type { Caller } from './task-types.js';
import type { InputOf, ResultOf, TaskNames, WorkerClient } from './client-types.js';
import type { WorkerProcess } from './process-types.js';

/**
 * Carries a proxy's two types where `@Worker` and `@Proxy` can read them. It exists in types only.
 * `WorkerProxy<W, O>` declares: `declare readonly [proxyTypes]: { worker: W; options: O }`.
 */
export declare const proxyTypes: unique symbol;

/** Type parameters of every `WorkerProxy`; required, so that no other class passes for one. */
export interface ProxyShape<W = unknown, O = unknown> {
  readonly [proxyTypes]: { readonly worker: W; readonly options: O };
}

/** The asker of a call that a proxy answers: pass it on to `this.worker`. Unseen it also carries the asker's stream and events. */
export interface ProxyCall {
  /** Aborts when the asker gives up; the asker is rejected at once whatever the proxy does. */
  readonly signal: AbortSignal;
  /** When the asker stops waiting, in milliseconds since the epoch. */
  readonly deadline: number | undefined;
  readonly caller: Caller;
  readonly tag: unknown;
  readonly affinity: string | undefined;
}

/** `this.worker` of a proxy: calls made for an asker. */
export type ProxiedWorker<W> = {
  // Over `keyof W`: editors follow it to the task.
  readonly [K in keyof W as K extends TaskNames<W> ? K : never]: (input: InputOf<W[K]>, call: ProxyCall) => ResultOf<W[K]>;
} & {
  /** Asks the mailbox of the worker (its `@OnData`) for the asker of `call`. */
  ask(data: unknown, call: ProxyCall): Promise<unknown>;
};

/** One live process behind a proxy. */
export interface Instance<W> extends WorkerProcess {
  /** Calls for an asker, on this process. */
  readonly worker: ProxiedWorker<W>;
  /** The proxy's own calls, on this process. */
  readonly own: WorkerClient<W>;
}

/** Return type of a proxy's method: the task's item stream, or its value now or later. */
type ProxyAnswer<F> = F extends (...args: never[]) => infer R
  ? // In brackets: an answer of several types is one promise, not one of several.
    [R] extends [AsyncIterable<infer I>]
    ? AsyncIterable<I>
    : Awaited<R> | Promise<Awaited<R>>
  : never;

type WrongMethods<W, P> = {
  [K in keyof P & TaskNames<W>]: P[K] extends (input: InputOf<W[K]>, call: ProxyCall) => ProxyAnswer<W[K]> ? never : K;
}[keyof P & TaskNames<W>];

/** `unknown` where the proxy class `P` stands in front of the worker class `C`, else a {@link Mismatch}. */
export type ProxyFits<C, P> =
  C extends Ctor<infer W>
    ? P extends Ctor<infer I>
      ? I extends ProxyShape<infer V>
        ? [W] extends [V]
          ? [WrongMethods<W, I>] extends [never]
            ? unknown
            : Mismatch<'a proxy method does not answer like its task'>
          : Mismatch<'proxy: is a WorkerProxy of another worker'>
        : unknown
      : unknown
    : unknown;
