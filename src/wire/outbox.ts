import { Kind } from './protocol.js';
import type { Encoded } from './types.js';

/** A message that waits: a large value, or one that must not overtake it. */
export interface Waiting {
  readonly kind: number;
  readonly id: number;
  readonly arg: number;
  readonly value: Encoded | undefined;
  /** Bytes of the value that were sent. */
  sent: number;
}

/** What makes a call: these arrive in the order of their ids, or the started mark would count calls that are still on their way. */
const CALLS: ReadonlySet<number> = new Set([Kind.CALL, Kind.MAIL, Kind.META]);

/**
 * Large values on their way, one at a time, and the messages behind them.
 *
 * Messages of the same id keep their order, and so do calls among each other (their ids are a sequence that the started mark counts).
 * Everything else goes past: a 64 MB buffer does not delay a ping or another call's answer.
 */
export class Outbox {
  readonly #queue: Waiting[] = [];
  #bytes = 0;

  get empty(): boolean {
    return this.#queue.length === 0;
  }

  /** Bytes of values that have not been sent. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether a message must wait its turn here. */
  holds(kind: number, id: number): boolean {
    if (kind === Kind.PING || kind === Kind.PONG) return false;
    return this.#queue.some(waiting => waiting.id === id || (CALLS.has(kind) && CALLS.has(waiting.kind)));
  }

  add(kind: number, id: number, arg: number, value: Encoded | undefined): void {
    this.#queue.push({ kind, id, arg, value, sent: 0 });
    this.#bytes += value?.length ?? 0;
  }

  get head(): Waiting | undefined {
    return this.#queue[0];
  }

  /** So many more bytes of the head's value were sent. */
  advance(bytes: number): void {
    const head = this.#queue[0]!;
    head.sent += bytes;
    this.#bytes -= bytes;
    if (head.sent === (head.value?.length ?? 0)) this.#queue.shift();
  }

  clear(): void {
    this.#queue.length = 0;
    this.#bytes = 0;
  }
}
