import type { Clock } from '../../clock.js';
import { emptyContext, type AsyncContext } from '../../async-context.js';
import type { About } from '../../decorators/hook-types.js';
import type { Remote } from '../../endpoints/endpoint.js';
import { asError, BoundaryError, EncodeError } from '../../errors.js';
import type { Framing } from '../../framing/framing.js';
import { Unrouted, type HandlerPlan, type Methods } from './message-router.js';
import { messageTraces } from '../../diagnostics/traces.js';
import { MessageTracing } from './message-tracing.js';
import type { AnswerBudget } from '../inbound/answer-budget.js';
import { ReplyStream, isAsyncIterable } from './reply-stream.js';

/** How far its connection is with ending. */
export interface EndingState {
  /** Nothing can be sent any more. */
  readonly isOver: boolean;
  /** The connection ends as soon as no reply is pending. */
  readonly isLeaving: boolean;
  /** The rejection only says that the connection has closed. */
  isCauseOf(error: Error): boolean;
  /** Aborts when the peer is gone. */
  readonly signal?: AbortSignal | undefined;
}

/** The runner's side of its session. */
export interface HandlerRunnerHost {
  /** In force for what is handled now. */
  readonly framing: Framing<unknown, unknown>;
  readonly remote: Remote;
  readonly id: string;
  /** The connection's own: empty for what was accepted, the dialler's for what was dialled. Messages are handled as they arrive. */
  readonly context: AsyncContext;
  /** Encodes and sends; silent when nothing can be sent any more. Throws EncodeError. */
  reply(value: unknown, framing: Framing<unknown, unknown>, to: Remote | undefined, within?: AnswerBudget): void;
  /** Bytes that answers to the datagram being handled may take when it is no valid message; undefined where there are no datagrams. */
  readonly answerBudget?: AnswerBudget | undefined;
  /** A promise while the peer reads too slowly. */
  waitForRoom(): Promise<void> | undefined;
  readonly state: EndingState;
  readonly sendBuffer?: { breakOff(): void };
  /** Called for an error that no `@OnError` handles: it is logged and the connection closes. */
  onUnhandledError(error: Error, about: About): void;
  /** A handler is at it that did not finish at once. */
  onHandlerPending(): void;
  /** One has finished. */
  onHandlerSettled(): void;
}

/** The hooks that the line runs besides `@OnData`. What the others return is not sent. */
export type HookLabel =
  'OnConnect' | 'OnWorkerData' | 'OnWorkerEvent' | 'OnChannel' | 'OnIdle' | 'OnShutdown' | 'OnSecure' | 'OnDrain' | 'OnEnd' | 'OnExit';
const ANSWERS: ReadonlySet<HookLabel> = new Set<HookLabel>([
  'OnConnect',
  'OnWorkerData',
  'OnWorkerEvent',
  'OnChannel',
  'OnIdle',
  'OnShutdown',
]);

const NOBODY: Methods = Object.freeze({});

function isThenable(value: object): value is PromiseLike<unknown> {
  return 'then' in value && typeof value.then === 'function';
}

/** A value that is one message: not a promise, not a stream. */
function isPlain(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return true;
  return !isThenable(value) && !isAsyncIterable(value);
}

/**
 * Runs the methods of one handler: keeps messages in order, sends what methods return, takes what they throw to `@OnError`.
 * A method that answers at once costs no promise; all others are seen through by one asynchronous function.
 */
export class HandlerRunner {
  readonly #host: HandlerRunnerHost;
  readonly #plan: HandlerPlan;
  /** Nothing while the constructor runs: no method is called then. */
  #instance: Methods = NOBODY;
  /** With several messages in flight: resolves when the last of them has answered. Undefined: replies leave as they come. */
  #tail: Promise<void> | undefined;
  /** Messages whose handlers have not finished. */
  inFlight = 0;
  /** Methods that have not finished and whose return values are replies, messages included. */
  pendingReplies = 0;
  /** Methods that have not finished and whose return values are not sent: timers, for instance. */
  backgroundHooks = 0;
  #acceptsStreams = true;
  /** Streams being sent. */
  #streams: Set<ReplyStream> | undefined;
  /** The application closes: how long streams may be idle, in milliseconds. */
  #endIdle: { readonly clock: Clock; readonly limit: number } | undefined;

  constructor(host: HandlerRunnerHost, plan: HandlerPlan, keepsOrder: boolean) {
    this.#host = host;
    this.#plan = plan;
    this.#tail = keepsOrder ? Promise.resolve() : undefined;
  }

  /** Sets the instance whose methods it runs, once that is made. */
  setInstance(instance: object): void {
    // The blueprint was read from this very class.
    this.#instance = instance as Methods;
  }

  /** No method is running. */
  get isIdle(): boolean {
    return this.pendingReplies === 0 && this.backgroundHooks === 0;
  }

  /** A handler has not finished. A reply that waits for an item of a stream or a channel does not count: no handler is at work on that. */
  get isAtWork(): boolean {
    let idle = 0;
    for (const stream of this.#streams ?? []) if (stream.isIdle) idle++;
    return this.pendingReplies + this.backgroundHooks > idle;
  }

  /** The application closes: replies from streams and channels end as soon as these have been idle for `limit` ms. */
  endIdleStreams(clock: Clock, limit: number): void {
    this.#endIdle = { clock, limit };
    for (const stream of this.#streams ?? []) stream.endWhenIdle(clock, limit);
  }

  /** An answer of several messages has begun and is not whole. */
  get isStreaming(): boolean {
    for (const stream of this.#streams ?? []) if (stream.hasBegun) return true;
    return false;
  }

  /** Handles one message. One handler serves all senders of a datagram socket: none of them sees what another's message has entered. */
  handleMessage(message: unknown, from: Remote | undefined): void {
    if (from) emptyContext().runInAsyncScope(this.#begin, this, message, from);
    else this.#begin(message, from);
  }

  #begin(message: unknown, from: Remote | undefined): void {
    if (!messageTraces.hasSubscribers) return this.#route(message, from);
    const tracing = new MessageTracing(this.#plan, this.#host.id, from ?? this.#host.remote);
    tracing.run(() => this.#route(message, from, tracing));
  }

  #route(message: unknown, from: Remote | undefined, tracing?: MessageTracing): void {
    const host = this.#host;
    const { framing } = host;
    const within = from && host.answerBudget;
    this.pendingReplies++;
    try {
      const outcome = this.#plan.routeMessage(this.#instance, message, from, host);
      if (outcome === undefined) {
        this.pendingReplies--;
        tracing?.end();
        return;
      }
      if (outcome instanceof Unrouted) {
        void this.#awaitMessage(Promise.reject(outcome.error), 'schema', message, from, framing, within, tracing);
      } else if (isPlain(outcome) && (this.#tail === undefined || this.inFlight === 0)) {
        host.reply(outcome, framing, from);
        this.pendingReplies--;
        tracing?.end();
      } else {
        void this.#awaitMessage(outcome, 'message', message, from, framing, within, tracing);
      }
    } catch (thrown) {
      void this.#awaitMessage(Promise.reject(thrown), 'message', message, from, framing, within, tracing);
    }
  }

  /** One of many senders sent what is no message: handled in its place, and the connection lives. */
  handleUnreadable(error: Error, from: Remote): void {
    this.pendingReplies++;
    void this.#awaitMessage(Promise.reject(error), 'framing', undefined, from, this.#host.framing, this.#host.answerBudget);
  }

  /** Runs all methods of a hook in order. Undefined: they have finished already; the promise never rejects. */
  runHook(label: HookLabel, keys: readonly PropertyKey[], ...args: unknown[]): Promise<void> | undefined {
    const { framing } = this.#host;
    const answers = ANSWERS.has(label);
    // Events of calls run in the context of the call; all other hooks in the connection's, whatever runs at the moment.
    const ofCalls = label === 'OnWorkerData' || label === 'OnWorkerEvent';
    for (const [at, key] of keys.entries()) {
      this.#countBegun(answers);
      let outcome: unknown;
      try {
        outcome = ofCalls
          ? this.#instance[key]!(...args)
          : this.#host.context.runInAsyncScope(this.#instance[key]!, this.#instance, ...args);
        if (isPlain(outcome)) {
          if (answers && outcome !== undefined) this.#host.reply(outcome, framing, undefined);
          this.#countFinished(answers);
          continue;
        }
      } catch (thrown) {
        outcome = Promise.reject(thrown);
      }
      return this.#awaitHook(label, keys.slice(at + 1), args, outcome, framing);
    }
    if (this.#host.state.isLeaving) this.#host.onHandlerSettled();
    return undefined;
  }

  /** Runs a timer's method. Never rejects: an error goes to `@OnError`, else to `log`. */
  async runTimer(key: PropertyKey, log: (error: Error) => void): Promise<void> {
    this.backgroundHooks++;
    try {
      const outcome = this.#host.context.runInAsyncScope(this.#instance[key]!, this.#instance);
      if (!isPlain(outcome)) {
        this.#host.onHandlerPending();
        await outcome;
      }
    } catch (thrown) {
      const error = asError(thrown);
      if (this.#plan.blueprint.hooks.error.length > 0) await this.#handleError(error, { during: 'timer' }, undefined, this.#host.framing);
      else if (!this.#host.state.isCauseOf(error)) log(error);
    }
    this.backgroundHooks--;
    this.#host.onHandlerSettled();
  }

  /** Tells an error that no method threw: of the socket, the framing, a worker. The promise never rejects. */
  async reportError(error: Error, about: About): Promise<void> {
    this.pendingReplies++;
    this.#host.onHandlerPending();
    await this.#handleError(error, about, undefined, this.#host.framing);
    this.pendingReplies--;
    this.#host.onHandlerSettled();
  }

  /** The peer takes no more: streams are told to stop, and none begins. */
  stopStreams(): void {
    this.#acceptsStreams = false;
    for (const stream of this.#streams ?? []) stream.stop();
  }

  #countBegun(answers: boolean): void {
    if (answers) this.pendingReplies++;
    else this.backgroundHooks++;
  }

  #countFinished(answers: boolean): void {
    if (answers) this.pendingReplies--;
    else this.backgroundHooks--;
  }

  /** Sees a message through whose handler did not finish at once. */
  async #awaitMessage(
    outcome: unknown,
    during: 'message' | 'schema' | 'framing',
    message: unknown,
    from: Remote | undefined,
    framing: Framing<unknown, unknown>,
    within: AnswerBudget | undefined,
    tracing?: MessageTracing,
  ): Promise<void> {
    this.inFlight++;
    this.#host.onHandlerPending();
    const before = this.#tail;
    let done: (() => void) | undefined;
    if (before) this.#tail = new Promise(resolve => (done = resolve));
    try {
      const value = await outcome;
      if (before) await before;
      await this.#send(value, framing, from);
      tracing?.end();
    } catch (thrown) {
      const error = asError(thrown);
      tracing?.end(error);
      const about: About = { during: error instanceof EncodeError ? 'encode' : during, message, from };
      const isInvalid = about.during === 'framing' || about.during === 'schema' || error instanceof BoundaryError;
      await this.#handleError(error, about, before, framing, isInvalid ? within : undefined);
    }
    done?.();
    this.inFlight--;
    this.pendingReplies--;
    this.#host.onHandlerSettled();
  }

  async #awaitHook(
    label: HookLabel,
    rest: readonly PropertyKey[],
    args: readonly unknown[],
    outcome: unknown,
    framing: Framing<unknown, unknown>,
  ): Promise<void> {
    const answers = ANSWERS.has(label);
    this.#host.onHandlerPending();
    try {
      const value = await outcome;
      if (answers) await this.#send(value, framing, undefined);
    } catch (thrown) {
      const error = asError(thrown);
      await this.#handleError(error, { during: error instanceof EncodeError ? 'encode' : 'hook', hook: label }, undefined, framing);
    }
    // The next method begins before the session hears that this one has finished: in between it would look idle.
    const following = this.#host.state.isOver ? undefined : this.runHook(label, rest, ...args);
    this.#countFinished(answers);
    if (following) await following;
    else this.#host.onHandlerSettled();
  }

  /** Sends what a method answered. Returns a promise only for a stream. */
  #send(value: unknown, framing: Framing<unknown, unknown>, to: Remote | undefined, within?: AnswerBudget): Promise<void> | undefined {
    if (value === undefined) return undefined;
    if (!isAsyncIterable(value)) {
      this.#host.reply(value, framing, to, within);
      return undefined;
    }
    const stream = new ReplyStream(value, this.#host, framing, to, within);
    if (!this.#acceptsStreams) {
      stream.stop();
      return undefined;
    }
    const streams = (this.#streams ??= new Set());
    streams.add(stream);
    if (this.#endIdle) stream.endWhenIdle(this.#endIdle.clock, this.#endIdle.limit);
    const finished = (): void => void streams.delete(stream);
    return stream.run().then(finished, (error: unknown) => {
      finished();
      if (stream.hasBegun) this.#host.sendBuffer?.breakOff();
      throw error;
    });
  }

  /** Takes an error to `@OnError`; what that answers takes the failed message's place. */
  async #handleError(
    error: Error,
    about: About,
    before: Promise<void> | undefined,
    framing: Framing<unknown, unknown>,
    within?: AnswerBudget,
  ): Promise<void> {
    const host = this.#host;
    // A socket's error is reported even when it has closed the connection.
    if (about.during !== 'socket' && host.state.isCauseOf(error)) return;
    const { error: keys } = this.#plan.blueprint.hooks;
    if (keys.length === 0) {
      host.onUnhandledError(error, about);
      return;
    }
    try {
      const answers: unknown[] = [];
      for (const key of keys) answers.push(await host.context.runInAsyncScope(this.#instance[key]!, this.#instance, error, about));
      if (before) await before;
      // A message that could not be sent is not answered: the answer would fail in the same way, for ever.
      if (about.during === 'socket') return;
      for (const answer of answers) await this.#send(answer, framing, about.from, within);
    } catch (thrown) {
      const second = asError(thrown);
      if (!host.state.isCauseOf(second)) host.onUnhandledError(second, { during: 'hook', hook: 'OnError', from: about.from });
    }
  }
}
