import { peerGroup } from '../../endpoints/address.js';
import type { Ctor } from '../../decorators/ctor.js';
import type { WorkerOrigin } from '../../decorators/hook-types.js';
import type { Caller } from '../../decorators/worker/task-types.js';

export type { Caller, WorkerOrigin };

/** Callbacks of an owner, besides the promises that its calls return. For a missing one the message is dropped, and logged. */
export interface OwnerHooks {
  /** The answer to a `tell`. */
  onAnswer?(worker: Ctor, data: unknown): void;
  /** The failure of a `tell`. */
  onFailure?(error: Error, worker: Ctor): void;
  /** An event of one of its calls, before the call settles. A promise holds further events of that call back. */
  onEvent?(worker: Ctor, name: string, payload: unknown, from: WorkerOrigin): unknown;
}

/** Something that ends when its owner does. */
export interface Owned {
  abort(reason: unknown): void;
}

/** A link of an owner's list; written by the owner alone. */
export interface Belonging extends Owned {
  elder: Belonging | undefined;
  younger: Belonging | undefined;
}

/**
 * The owner of a worker client: a connection, the application, or a task of another worker.
 * Written by its creator (a session aborts it when its peer is gone), read by the pools: fairness, limits, cancellation, events.
 */
export class Owner {
  readonly kind: 'connection' | 'app' | 'task';
  readonly id: string;
  /** The fair queue's round robin is over these: owners with the same one are one caller. */
  readonly queuedAs: string;
  readonly caller: Caller;
  #group: string | undefined;
  readonly hooks: OwnerHooks;
  /** Set while `@OnShutdown`, `@OnClose` or `@OnStop` runs, by its runner: calls are then taken even while the application closes. */
  isAllowedWhileClosing = false;
  /** Calls under way, linked in the order in which they were made: a Set would cost each of them as much as its validation. */
  #oldest: Belonging | undefined;
  #newest: Belonging | undefined;
  #closed = false;

  constructor(kind: Owner['kind'], id: string, caller: Caller = {}, hooks: OwnerHooks = {}, queuedAs = id, group?: string) {
    this.kind = kind;
    this.id = id;
    this.queuedAs = queuedAs;
    this.caller = caller;
    this.hooks = hooks;
    this.#group = group;
  }

  /** After `close()` neither answers nor events reach the owner. */
  get isClosed(): boolean {
    return this.#closed;
  }

  /** Calls are under way. */
  get hasCalls(): boolean {
    return this.#oldest !== undefined;
  }

  /** Callers with the same one have one turn together: the connections of one address. Undefined: it has a turn of its own. */
  get group(): string | undefined {
    const { connection } = this.caller;
    if (this.#group !== undefined || this.kind !== 'connection' || connection === undefined) return this.#group;
    const { address, url } = connection.remote;
    return (this.#group = address === undefined ? url : peerGroup(address));
  }

  add(call: Belonging): void {
    const newest = this.#newest;
    call.elder = newest;
    if (newest) newest.younger = call;
    else this.#oldest = call;
    this.#newest = call;
  }

  /** Also for one that was never added. */
  delete(call: Belonging): void {
    const { elder, younger } = call;
    if (elder) elder.younger = younger;
    else if (this.#oldest === call) this.#oldest = younger;
    else return;
    if (younger) younger.elder = elder;
    else this.#newest = elder;
    call.elder = call.younger = undefined;
  }

  /** Aborts what is under way. New calls are allowed: `@OnClose` may still make some. */
  abort(reason: unknown): void {
    const calls: Belonging[] = [];
    for (let call = this.#oldest; call; call = call.younger) calls.push(call);
    for (const call of calls) this.delete(call);
    for (const call of calls) call.abort(reason);
  }

  close(): void {
    this.#closed = true;
  }
}
