import { publish } from '../../diagnostics.js';
import type { Chunk } from '../../framing/framing.js';

function sizeOf(message: Chunk | readonly Chunk[]): number {
  const chunks = typeof message === 'string' || message instanceof Uint8Array ? [message] : message;
  return chunks.reduce((sum, chunk) => sum + Buffer.byteLength(chunk), 0);
}

/**
 * How many bytes the answers to one datagram may have when it could not be read or validated: fewer than it has itself. Senders of datagrams
 * are forged at will: larger answers would multiply a flood, and answers as large would let two services answer each other for ever.
 */
export class AnswerBudget {
  #left: number;

  constructor(size: number) {
    this.#left = size - 1;
  }

  /** An answer did not fit: no other is sent. */
  get isSpent(): boolean {
    return this.#left < 0;
  }

  /** Whether an answer may be sent; then it is counted. */
  tryTake(answer: Chunk | readonly Chunk[]): boolean {
    const size = sizeOf(answer);
    this.#left = size > this.#left ? -1 : this.#left - size;
    return !this.isSpent;
  }
}

/** Classes that have been warned. */
const WARNED = new WeakSet<object>();

/** Whether an answer may be sent, where it has a budget. Tells once for a class why answers of its `@OnError` do not arrive. */
export function mayAnswer(answer: Chunk | readonly Chunk[], within: AnswerBudget | undefined, plan: { readonly name: string }): boolean {
  if (!within || within.tryTake(answer)) return true;
  if (WARNED.has(plan)) return false;
  WARNED.add(plan);
  const message =
    `answers of @OnError of ${plan.name} to datagrams that could not be read or validated are dropped where they have no fewer bytes ` +
    'than the datagram: its sender may be forged';
  publish('app.warning', { message });
  return false;
}
