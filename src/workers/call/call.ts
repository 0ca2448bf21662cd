import { currentContext, type AsyncContext } from '../../async-context.js';
import type { CallBase, Sendable } from '../../decorators/worker/client-types.js';
import { asError, BoundaryError, AbortError, ProtocolError } from '../../errors.js';
import { publish } from '../../diagnostics.js';
import type { Refused } from '../../schema.js';
import { toMilliseconds } from '../../units.js';
import { REUSABLE } from '../../wire/bytes/spare-memory.js';
import type { Body, Encoded } from '../../wire/link/types.js';
import type { CallerQueue, Queueable } from '../queue/fair-queue.js';
import type { CallTracing } from './call-tracing.js';
import type { List } from '../queue/list.js';
import type { Belonging, Owned, Owner } from './owner.js';
import type { CallSender } from './input-stream.js';
import { unwatchAbort, watchAbort, type Abortable } from '../../abort-listeners.js';
import type { Target } from './call-target.js';
import { copyArgument, keepText, type CopyToken } from './argument-copies.js';
import type { Ticket } from '../queue/ticket.js';
import type { Room } from '../../wire/link/credit.js';
import type { Delivery, Receiver } from '../received/delivery.js';
import type { UnreadBytes } from '../received/unread.js';

/** All that a call may be given; which of it a certain task takes is a matter of types. */
export interface CallSettings extends CallBase {
  readonly on?: Readonly<Record<string, ((payload: unknown) => unknown) | undefined>> | undefined;
  readonly send?: Sendable<unknown> | undefined;
}

/** Where a call is: in a queue, or with a process. It is told when the caller gives up, after the call has settled. */
export interface CallHolder {
  /** `leaving`: it only leaves the stream, and wants its generator to return. */
  cancel(call: Call, leaving?: boolean): void;
  /** There is room for so many more items, or events, of it. */
  grantCredit(call: Call, of: 'items' | 'events', room: Room): void;
  /** Whether so many bytes more of its items may wait: taken from what its process may have beside its first windows. */
  growWindow?(call: Call, bytes: number): boolean;
  /** Reports that the process broke the protocol with the call's items. */
  reportOffence?(error: Error): void;
  /** The calls that hold the slots which a waiting call waits for; undefined: it gets one anyway. */
  callsAhead(): Iterable<Call> | undefined;
}

/** A process that a call is made to, and to no other of its pool. */
export interface PinnedProcess {
  readonly pid: number;
  readonly bound: Set<Call>;
}

/** Part of `cancelGrace` after which a task counts as one that does not obey its signal: calls that wait behind it get another process. */
const LINGERS_AFTER = 0.25;

/** A deadline of a call that has passed. */
export type Due = 'soft' | 'hard' | 'lingers' | 'grace' | 'stall';

/**
 * One call. It settles exactly once: by the first of `succeed`, `fail` and `abort`; what comes later is not heard.
 * A call that settled while a process still works on it keeps its slot there until the process says so.
 *
 * Life: made → `encode` → queued (holder: the pool) → sent (holder: a process; `id` is its number on that link) → begun → settled;
 * from sent back to queued when the process died before it began.
 */
export abstract class Call implements Belonging, Abortable, Queueable<Call> {
  // Links of the list it stands in: a queue, or those waiting at a process.
  prev: Call | undefined;
  next: Call | undefined;
  list: List<Call> | undefined;
  callerQueue: CallerQueue<Call> | undefined;
  // Links of its owner's list.
  elder: Belonging | undefined;
  younger: Belonging | undefined;

  /** The application, and what is published of the call where something listens; written by the route that makes it. */
  app = '';
  tracing: CallTracing | undefined;
  readonly target: Target;
  readonly key: string | undefined;
  readonly owner: Owner;
  readonly options: CallSettings | undefined;
  /** Milliseconds, 0: none. */
  readonly hard: number;
  readonly soft: number;

  /** A primitive as it is, anything else encoded: kept until the call settles, because it may be sent again. */
  #input: unknown;
  #encoded = false;
  /** Bytes of its argument, about; 0 for a small primitive. */
  weight = 0;
  /** Identifies a large argument, which the call may share with others. */
  token: CopyToken | undefined;
  /** Runs what the caller gave where it made the call, whatever brought the news. */
  readonly #context: AsyncContext | undefined;
  isSettled = false;
  holder: CallHolder | undefined;
  /** Number on its link; 0 while it was not sent. */
  id = 0;
  /** When the clock began that its time limits are measured with; -1: it waits for a slot. */
  began = -1;
  /** When the caller gave up while a process had the call; -1: it did not. */
  cancelled = -1;
  isSoftAborted = false;
  /** Its caller gave up, and its task has not ended within the first part of `cancelGrace`. */
  isLingering = false;
  /** A deadline fired and is rechecked after the next poll, or was acted on: no further timer is set. */
  isSuspected = false;
  /** The process has shown that it works on this very call. */
  hasEvidence = false;
  attempt = 1;
  /** Errors of earlier attempts. */
  previous: Error[] | undefined;
  /** Its events on their way to the caller; made with the first one. */
  events: Receiver | undefined;
  /** Bytes by which the window of its items has grown. Written by its holder. */
  grown = 0;
  /** Only this process may take it. */
  pin: PinnedProcess | undefined;
  /** The call has a place among calls of equal affinity. Written by AffinityQueue. */
  hasAffinityPlace = false;
  /** Its place among those that must not wait for ever. */
  ticket: Ticket<Call> | undefined;
  /** Streams the caller's items in. */
  sender: CallSender | undefined;
  /** Part of a call that was admitted: taken even while the application closes. */
  isAdmitted = false;
  /** Why the caller gave up. */
  abortReason: unknown;
  /** Deadline that it inherits from another machine, in milliseconds since the epoch; undefined: none. */
  latest: number | undefined;
  readonly #named: string | undefined;
  #parent: Call | undefined;
  /** Told when it has settled. */
  onSettled: (() => void) | undefined;
  /** Calls to other workers that its task has made and that are not over. */
  children: Set<Owned> | undefined;
  /** Unsettled nested calls that this call's task has made; read by the deadlock check. */
  waitsFor: Set<Call> | undefined;

  constructor(target: Target, key: string | undefined, owner: Owner, options: CallSettings | undefined) {
    this.target = target;
    this.key = key;
    this.owner = owner;
    this.options = options;
    this.#named = owner.kind === 'task' ? undefined : options?.caller;
    this.hard = target.hard;
    this.soft = target.soft;
    // Where listeners of its events run; a call whose task has none goes without.
    if (options?.on || (owner.hooks.onEvent && target.task && target.task.events.size > 0)) this.#context = currentContext();
    const timeout = options?.timeout;
    if (timeout !== undefined) {
      const own = toMilliseconds(timeout);
      if (own > 0 && (this.hard === 0 || own < this.hard)) this.hard = own;
    }
  }

  /** The call in whose task it was made. */
  get parent(): Call | undefined {
    return this.#parent;
  }

  /** Said once, before anything else. */
  setParent(parent: Call): void {
    this.#parent = parent;
    (parent.waitsFor ??= new Set()).add(this);
  }

  /** Whose turn it takes. */
  get caller(): string {
    return this.#named ?? this.owner.queuedAs;
  }

  /** All callers with which that one shares a turn, see {@link Owner.group}: the application vouches for those that it names. */
  get group(): string | undefined {
    return this.#named === undefined ? this.owner.group : undefined;
  }

  /** The caller that a worker names for its call: callers it makes up share the turn that the call has anyway. */
  get within(): string | undefined {
    return this.owner.kind === 'task' ? this.options?.caller : undefined;
  }

  get input(): unknown {
    return this.#input;
  }

  get isEncoded(): boolean {
    return this.#encoded;
  }

  /** The copy of the argument, where it is so large that its memory should serve again: no other call sends it, nothing reads it after this. */
  spendLarge(): Encoded | undefined {
    const { token } = this;
    if (token === undefined || token.calls > 1 || !this.#encoded || this.isSettled || token.size < REUSABLE) return undefined;
    token.isSpent = true;
    return this.#input as Encoded;
  }

  /** Copies the argument: what the caller does to it later is not seen. Throws for what cannot be copied. */
  encode(input: unknown, shares = false): void {
    const type = typeof input;
    this.#encoded = (type === 'object' && input !== null) || type === 'function' || type === 'symbol';
    if (!this.#encoded && type !== 'string') return void (this.#input = input);
    const { maxMessageSize } = this.target.worker.settings;
    const { value, token } = this.#encoded ? copyArgument(input, maxMessageSize, shares) : keepText(input as string);
    this.#input = value;
    this.token = token;
    this.weight = value.length;
  }

  /** Takes an argument that is encoded already. */
  protected setEncoded(input: Encoded): void {
    this.#input = input;
    this.#encoded = true;
    this.weight = input.length;
  }

  /** From now on it ends with its owner and its signal. */
  register(): void {
    this.owner.add(this);
    if (this.options?.signal) watchAbort(this.options.signal, this);
  }

  /** The caller gives up. */
  abort(reason: unknown): void {
    this.abortWith(new AbortError(reason));
  }

  /** Ends it for the caller with this error, whatever the process does. */
  abortWith(error: Error): void {
    const holder = this.holder;
    if (this.isSettled) return;
    this.abortReason = error instanceof AbortError ? error.cause : error;
    this.fail(error);
    this.abortChildren(error);
    holder?.cancel(this);
  }

  /** Aborts the nested calls of its task. */
  abortChildren(reason: unknown): void {
    const { children } = this;
    this.children = undefined;
    if (children) for (const child of children) child.abort(reason);
  }

  succeed(value: unknown): boolean {
    if (!this.#settle()) return false;
    this.onSuccess(value);
    return true;
  }

  /** @param place where the error was made, as a line of its stack; undefined: here */
  fail(error: Error, place?: string): boolean {
    if (!this.#settle(error)) return false;
    this.onFailure(error, place);
    return true;
  }

  /** The process has answered: read at once, the body does not last. Throws ProtocolError for what cannot be decoded. */
  onAnswer(body: Body, _microseconds: number): void {
    if (this.isSettled) return;
    if (this.tracing) this.tracing.trace.bytes.received += body.length;
    if (this.target.silent) this.succeed(undefined);
    else this.succeedChecked(body.value());
  }

  /** Succeeds with this answer, if it is one that the task may give. */
  succeedChecked(value: unknown): void {
    const { silent, check } = this.target;
    if (!check) return void this.succeed(silent ? undefined : value);
    const verdict = check(value);
    if (verdict.issues) this.fail(this.boundary(verdict));
    else this.succeed(verdict.value);
  }

  /** Receives one item; only streams do. `unread`: counts its bytes until it is taken. */
  onItem(_body: Body, _now: number, _unread: UnreadBytes): void {
    throw new ProtocolError(`an item for ${this.target.name}, which answers once`);
  }

  /** The end of a stream. */
  onEnd(): void {
    throw new ProtocolError(`the end of a stream for ${this.target.name}, which answers once`);
  }

  get isStream(): boolean {
    return false;
  }

  /** Makes the receiver of its events when the first one comes: `usual`, unless they go somewhere else. */
  receiver(usual: () => Delivery): Receiver {
    return usual();
  }

  /** An event that its process says it emitted: checked and delivered. The promise resolves when its listeners have dealt with it. */
  handleEvent(name: string, payload: unknown): Promise<unknown> | undefined {
    const check = this.target.task?.events.get(name);
    if (!check) throw new ProtocolError(`${this.target.name} emits ${name}, which it does not declare`);
    const verdict = this.target.worker.settings.validate === 'off' ? { value: payload } : check(payload);
    if (!verdict.issues) return this.deliverEvent(name, verdict.value);
    this.abortWith(this.boundary(verdict));
    return undefined;
  }

  /** Tells caller and owner. A throw of theirs is theirs. */
  protected deliverEvent(name: string, payload: unknown): Promise<unknown> | undefined {
    const { options, owner, target } = this;
    const on = options?.on;
    const first =
      on &&
      this.#tell(() => {
        // The look-up, too, is the caller's own: what it throws must not look like the worker's offence.
        const handler = Object.hasOwn(on, name) ? on[name] : undefined;
        return handler && this.#context!.runInAsyncScope(() => handler(payload));
      });
    if (!owner.hooks.onEvent || owner.isClosed) return first;
    const from = { worker: target.worker.name, key: this.key, task: target.name, tag: options?.tag };
    const heard = (): unknown => owner.hooks.onEvent!(target.worker.cls, name, payload, from);
    const second = this.#tell(() => (this.#context ? this.#context.runInAsyncScope(heard) : heard()));
    return first && second ? Promise.all([first, second]) : (first ?? second);
  }

  /** The call was sent to a process, as number `id`. */
  assignTo(id: number, holder: CallHolder): void {
    this.id = id;
    this.holder = holder;
  }

  /** Takes the call back from its process: it is about to be queued or sent again. */
  takeBack(): void {
    this.id = 0;
    this.began = -1;
    this.isSoftAborted = this.hasEvidence = this.isSuspected = this.isLingering = false;
    this.holder = undefined;
    this.events?.close();
    this.events = undefined;
    this.grown = 0;
  }

  /** Whether it may be tried again after its process died under it. */
  get isRepeatable(): boolean {
    return this.attempt <= this.target.retries && (this.sender?.isRepeatable ?? true);
  }

  /** When something is due next; Infinity: nothing, or its clock does not run. */
  dueAt(): number {
    const { began } = this;
    if (began < 0) return Infinity;
    let at = this.hard > 0 ? began + this.hard : Infinity;
    if (this.soft > 0 && !this.isSoftAborted && !this.isSettled) at = Math.min(at, began + this.soft);
    return this.cancelled < 0 ? at : Math.min(at, this.#graceEnd(this.isLingering ? 1 : LINGERS_AFTER));
  }

  /** The deadline that has passed, the strictest first. */
  overdue(now: number): Due | undefined {
    const { began } = this;
    if (began < 0) return undefined;
    if (this.hard > 0 && now >= began + this.hard) return 'hard';
    if (this.cancelled >= 0 && now >= this.#graceEnd()) return 'grace';
    if (this.cancelled >= 0 && !this.isLingering && now >= this.#graceEnd(LINGERS_AFTER)) return 'lingers';
    return this.soft > 0 && !this.isSoftAborted && !this.isSettled && now >= began + this.soft ? 'soft' : undefined;
  }

  protected abstract onSuccess(value: unknown): void;
  protected abstract onFailure(error: Error, place: string | undefined): void;

  protected boundary(refused: Refused): BoundaryError {
    return new BoundaryError({ worker: this.target.worker.name, task: this.target.name, direction: 'output', ...refused });
  }

  #graceEnd(part = 1): number {
    const { cancelGrace } = this.target.worker.settings;
    return cancelGrace === 0 ? Infinity : Math.max(this.cancelled, this.began) + cancelGrace * part;
  }

  #settle(error?: Error): boolean {
    if (this.isSettled) return false;
    this.isSettled = true;
    this.owner.delete(this);
    this.#parent?.waitsFor?.delete(this);
    if (this.options?.signal) unwatchAbort(this.options.signal, this);
    this.sender?.stop();
    this.events?.close();
    this.#input = undefined;
    this.tracing?.ended(error);
    this.onSettled?.();
    return true;
  }

  /** Undefined: it is done. A promise of its end never rejects. */
  #tell(run: () => unknown): Promise<unknown> | undefined {
    try {
      const result = run();
      if (result instanceof Promise) return result.catch((error: unknown) => this.#handlerFailed(error));
    } catch (error) {
      this.#handlerFailed(error);
    }
    return undefined;
  }

  #handlerFailed(error: unknown): void {
    publish('hook.error', { app: this.app, worker: this.target.worker.name, task: this.target.name, hook: 'event', error: asError(error) });
  }
}
