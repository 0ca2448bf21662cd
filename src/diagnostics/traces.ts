import { tracingChannel, type TracingChannel } from 'node:diagnostics_channel';
import { epochNow, monotonicNow } from '../system-timers.js';
import type { CallTrace, MessageTrace, RequestTrace, TraceEnd } from './trace-types.js';

/**
 * Calls as `TracingChannel`s of Node, with one context object each: `start` and `end` around the making of it, `asyncStart` and `asyncEnd`
 * when it has ended, `error` before these where it failed. Ask `hasSubscribers` first: nothing is made where nothing listens.
 */
export const callTraces: TracingChannel<unknown, CallTrace> = tracingChannel<unknown, CallTrace>('packet-ts:call');
/** Tracing of messages: around the method that handles one, and until its answer was handed to the socket. */
export const messageTraces: TracingChannel<unknown, MessageTrace> = tracingChannel<unknown, MessageTrace>('packet-ts:message');
/** Tracing of requests: from their head to the last byte of the answer. */
export const requestTraces: TracingChannel<unknown, RequestTrace> = tracingChannel<unknown, RequestTrace>('packet-ts:request');

/** The times of one trace, in milliseconds since the epoch with fractions: in order, however the system's clock is set meanwhile. */
export class Stopwatch {
  readonly #offset: number;
  readonly started: number;

  constructor() {
    const now = monotonicNow();
    this.#offset = epochNow() - now;
    this.started = now + this.#offset;
  }

  now(): number {
    return monotonicNow() + this.#offset;
  }
}

/** Runs what is traced in a context of its own. */
export type Surrounding<T> = <R>(trace: T, run: () => R) => R;

const surroundings = new Map<object, Set<Surrounding<never>>>();

/**
 * Runs from now on what a channel traces inside `within`, for a context that is no AsyncLocalStorage of ours; returns the end of that. Listen
 * to the channel, too: what nothing listens to is not traced.
 */
export function surround<T extends object>(channel: TracingChannel<unknown, T>, within: Surrounding<T>): () => void {
  const all = surroundings.get(channel) ?? new Set();
  surroundings.set(channel, all);
  all.add(within);
  return () => void all.delete(within);
}

/** Publishes `start`, runs it with what stores are bound to that channel and in its surroundings, publishes `end`. */
export function runTraced<T extends TraceEnd, R>(channel: TracingChannel<unknown, T>, trace: T, run: () => R): R {
  let inside = run;
  // Added with channels of their own kind.
  for (const within of (surroundings.get(channel) ?? []) as Iterable<Surrounding<T>>) {
    const next = inside;
    inside = () => within(trace, next);
  }
  return channel.start.runStores(trace, () => {
    try {
      return inside();
    } finally {
      channel.end.publish(trace);
    }
  });
}

/** The value of `error.type`: the error's `code`, or its name. */
export function codeOf(error: Error): string {
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' ? code : error.name;
}

/** Fills in the end and publishes it. */
export function endTrace<T extends TraceEnd>(channel: TracingChannel<unknown, T>, trace: T, ended: number, error: Error | undefined): void {
  trace.ended = ended;
  if (error !== undefined) {
    trace.error = error;
    trace.code = codeOf(error);
    channel.error.publish(trace);
  }
  channel.asyncStart.publish(trace);
  channel.asyncEnd.publish(trace);
}
