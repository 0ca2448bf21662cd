import { Kind } from './protocol.js';
import type { Encoded } from './types.js';

/** A message that waits: a large value, or one that must not overtake it. */
export interface Waiting {
  readonly kind: number;
  readonly id: number;
  readonly arg: number;
  readonly value: Encoded | undefined;
  /** The link encoded the value itself: it alone has the memory. */
  readonly own: boolean;
  /** Bytes of the value that were sent. */
  sent: number;
}

/** Calls, whose ids are a sequence that the started mark counts, and what belongs in front of them. */
const CALLS: ReadonlySet<number> = new Set([Kind.CALL, Kind.MAIL, Kind.META]);

/** Messages that keep their order even where calls need not: of one mailbox, and of calls with a context, which may be of one affinity. */
const ORDERED: ReadonlySet<number> = new Set([Kind.MAIL, Kind.META]);

/**
 * Large values on their way, one at a time, and the messages behind them.
 *
 * Messages of the same id keep their order, and so do calls among each other, unless the other side does not
 * count them. Everything else goes past: a 64 MB buffer does not delay a ping or another call's answer.
 */
export class Outbox {
  /** Those from `#first` on wait; `shift()` would move them all each time. */
  #queue: (Waiting | undefined)[] = [];
  #first = 0;
  /** Calls keep their order among each other: the other side counts them. */
  readonly keepsCalls: boolean;
  /** How many messages of each id wait, and how many calls. */
  readonly #ids = new Map<number, number>();
  #calls = 0;
  #bytes = 0;

  constructor(keepsCalls: boolean) {
    this.keepsCalls = keepsCalls;
  }

  get empty(): boolean {
    return this.#queue.length === this.#first;
  }

  /** Bytes of values that have not been sent. */
  get bytes(): number {
    return this.#bytes;
  }

  get head(): Waiting | undefined {
    return this.#queue[this.#first];
  }

  /** Whether a message must wait its turn here. */
  holds(kind: number, id: number): boolean {
    if (kind === Kind.PING || kind === Kind.PONG) return false;
    return this.#ids.has(id) || (this.#calls > 0 && (this.keepsCalls ? CALLS : ORDERED).has(kind));
  }

  add(kind: number, id: number, arg: number, value: Encoded | undefined, own = false): void {
    this.#queue.push({ kind, id, arg, value, own, sent: 0 });
    this.#ids.set(id, (this.#ids.get(id) ?? 0) + 1);
    if (CALLS.has(kind)) this.#calls++;
    this.#bytes += value?.length ?? 0;
  }

  /** Counts bytes of the head's value that were sent; with the last of them it leaves. */
  advance(bytes: number): void {
    const head = this.#queue[this.#first]!;
    head.sent += bytes;
    this.#bytes -= bytes;
    if (head.sent < (head.value?.length ?? 0)) return;
    this.#queue[this.#first++] = undefined;
    if (this.empty) this.#reset();
    const others = this.#ids.get(head.id)! - 1;
    if (others === 0) this.#ids.delete(head.id);
    else this.#ids.set(head.id, others);
    if (CALLS.has(head.kind)) this.#calls--;
  }

  clear(): void {
    this.#reset();
    this.#ids.clear();
    this.#calls = this.#bytes = 0;
  }

  #reset(): void {
    this.#queue = [];
    this.#first = 0;
  }
}
