import { asError, ProtocolError, WorkerCrashedError } from '../../errors.js';
import { INITIAL_ROOM, SendCredit, type Room } from '../../wire/link/credit.js';
import { Kind } from '../../wire/link/protocol.js';
import { sendFailure } from '../../wire/link/failure.js';
import { withoutAttachments } from '../../wire/codec/codec.js';
import type { Body, Encoded, Link } from '../../wire/link/types.js';
import { Call, type CallSettings, type Due } from '../../workers/call/call.js';
import type { Owner } from '../../workers/call/owner.js';
import type { Target } from '../../workers/call/call-target.js';
import type { Receiver } from '../../workers/received/delivery.js';
import type { Directory } from '../../workers/process/nested-calls.js';
import { RelayedItems } from './relayed-items.js';

/** Where a relayed call came from. */
export interface RelayOrigin {
  /** Name of this host. */
  readonly host: string;
  readonly link: Link;
  /** Number of the call on that link. */
  readonly id: number;
  /** Finds the workers of the caller, for calls that the task makes. */
  readonly directory: Directory;
  /** The call is over on this side: later messages about it are dropped. */
  onOver(id: number): void;
}

/** The caller's settings of a call besides its input. */
export interface RelaySettings extends CallSettings {
  readonly deadline: number | undefined;
  readonly attempt: number | undefined;
}

/**
 * A call of another machine, made again in a pool of this one. Values pass through as bytes: the worker checks its input, the caller its
 * answer. Credit goes from end to end, so that neither end ever has more here than it granted.
 */
export class RelayedCall extends Call {
  readonly #origin: RelayOrigin;
  readonly #isTold: boolean;
  /** Items and events that the caller can take. */
  #itemCredit = new SendCredit(INITIAL_ROOM.items);
  #eventCredit = new SendCredit(INITIAL_ROOM.events);
  /** When its credit ran out; -1: it has some. */
  #outOfCredit = -1;
  /** The caller gave it up: it is told only that the call is over. */
  #isWithdrawn = false;

  constructor(target: Target, key: string | undefined, owner: Owner, settings: RelaySettings, origin: RelayOrigin, sends: boolean) {
    super(target, key, owner, settings);
    this.#origin = origin;
    this.#isTold = target.kind === 'tell';
    this.latest = settings.deadline;
    this.attempt = settings.attempt ?? 1;
    if (sends) this.sender = new RelayedItems(origin.link, origin.id);
  }

  /** Workers that its task may call: those of its caller. */
  get directory(): Directory {
    return this.#origin.directory;
  }

  /** Number of the call on its caller's link. */
  get number(): number {
    return this.#origin.id;
  }

  /** Stream that the caller sends in. */
  get items(): RelayedItems | undefined {
    return this.sender instanceof RelayedItems ? this.sender : undefined;
  }

  /** Nothing is left to encode. */
  override encode(): void {}

  /** Keeps the argument as it came. */
  take(body: Body): void {
    if (body.length > 0) this.setEncoded(body.take());
  }

  /** A `tell` is never aborted, not even by the end of its caller. */
  override register(): void {
    if (!this.#isTold) super.register();
  }

  override get isStream(): boolean {
    return this.target.task?.yields !== undefined;
  }

  override get isRepeatable(): boolean {
    return super.isRepeatable && !(this.isStream && this.hasEvidence);
  }

  override takeBack(): void {
    super.takeBack();
    this.#itemCredit = new SendCredit(INITIAL_ROOM.items);
    this.#eventCredit = new SendCredit(INITIAL_ROOM.events);
    this.#outOfCredit = -1;
  }

  override onAnswer(body: Body, microseconds: number): void {
    if (this.isSettled) return;
    const { link, id } = this.#origin;
    if (body.length === 0) link.send(Kind.REPLY, id, microseconds);
    else {
      const bytes = this.#portable(body);
      if (!bytes) return;
      link.sendEncoded(Kind.REPLY, id, microseconds, bytes);
    }
    this.succeed(undefined);
  }

  /** A thread's value, re-encoded for another machine; undefined: it cannot go there, and the call is over. */
  #portable(body: Body): Encoded | undefined {
    try {
      return withoutAttachments(body.take());
    } catch (error) {
      this.abortWith(asError(error));
      return undefined;
    }
  }

  override onItem(body: Body, now: number): void {
    if (!this.#itemCredit.open) throw new ProtocolError(`${this.target.name} sent an item without credit`);
    this.#itemCredit.spend(body.length);
    if (this.isSettled) return;
    this.hasEvidence = true;
    this.began = now;
    const bytes = this.#portable(body);
    if (bytes) this.#origin.link.sendEncoded(Kind.ITEM, this.#origin.id, 0, bytes);
    if (!this.#itemCredit.open) this.#outOfCredit = now;
  }

  override onEnd(): void {
    if (this.isSettled) return;
    this.#origin.link.send(Kind.END, this.#origin.id, 0);
    this.succeed(undefined);
  }

  /** Events pass through as bytes, on the credit of the caller. */
  override receiver(): Receiver {
    return {
      receive: (body, from) => {
        if (!this.#eventCredit.open) throw new ProtocolError(`${from} without credit`);
        this.#eventCredit.spend(body.length);
        const bytes = this.isSettled ? undefined : this.#portable(body);
        if (bytes) this.#origin.link.sendEncoded(Kind.EVENT, this.#origin.id, 0, bytes);
      },
      flush() {},
      close() {},
    };
  }

  /** The caller can take more. */
  grant(of: 'items' | 'events', room: Room): void {
    if (of === 'events') this.#eventCredit.give(room);
    else {
      this.#itemCredit.give(room);
      this.#outOfCredit = -1;
    }
    this.holder?.grantCredit(this, of, room);
  }

  /** The caller wants no more of it. */
  withdraw(isLeaving: boolean): void {
    const { holder, isSettled: settled } = this;
    if (settled) return;
    this.#isWithdrawn = true;
    if (isLeaving && this.isStream) {
      if (this.succeed(undefined)) holder?.cancel(this, true);
    } else this.abort(undefined);
    this.#origin.link.send(Kind.DROPPED, this.#origin.id, 0);
  }

  /** The caller is gone. */
  abandon(): void {
    if (!this.#isTold) this.abort(new Error('the caller is gone'));
  }

  override dueAt(): number {
    if (this.#outOfCredit < 0 || this.isSettled) return super.dueAt();
    const { stallTimeout } = this.target.worker.settings;
    return this.began < 0 || stallTimeout === 0 ? Infinity : this.#outOfCredit + stallTimeout;
  }

  override overdue(now: number): Due | undefined {
    if (this.#outOfCredit < 0 || this.isSettled) return super.overdue(now);
    return now >= this.dueAt() ? 'stall' : undefined;
  }

  protected onSuccess(): void {
    this.#origin.onOver(this.#origin.id);
  }

  protected onFailure(error: Error): void {
    this.#origin.onOver(this.#origin.id);
    // To the caller a process of this machine is one of another.
    if (error instanceof WorkerCrashedError && error.host === 'local')
      Object.defineProperty(error, 'host', { value: this.#origin.host, enumerable: true });
    if (!this.#isWithdrawn) sendFailure(this.#origin.link, this.#origin.id, error);
  }
}
