import { ProtocolError } from '../../errors.js';
import { Kind } from './protocol.js';
import type { Body, Link } from './types.js';

/** Upper 8 bits of CREDIT's arg: what the credit is for. */
export const CreditKind = { items: 0, sends: 1, events: 2, messages: 3, records: 4, profiles: 5 } as const;

/** Room for messages: how many, and bytes of their values. */
export interface Room {
  readonly count: number;
  readonly bytes: number;
}

const KB = 1024;

/** Room that each sender has at the beginning, without asking. */
export const INITIAL_ROOM = {
  items: { count: 16, bytes: 256 * KB },
  sends: { count: 16, bytes: 256 * KB },
  events: { count: 64, bytes: 256 * KB },
  messages: { count: 64, bytes: 256 * KB },
  records: { count: 256, bytes: 256 * KB },
  profiles: { count: 16, bytes: 256 * KB },
} as const satisfies Record<keyof typeof CreditKind, Room>;

/** The most room that a receiver whose reader keeps up gives a stream. */
export const WIDEST: Room = { count: 256, bytes: 4 * KB * KB };

/** CREDIT with so much room. */
export function sendCredit(link: Pick<Link, 'sendValue'>, id: number, kind: number, { count, bytes }: Room): void {
  link.sendValue(Kind.CREDIT, id, (kind << 24) | count, bytes);
}

/** Reads CREDIT. Throws ProtocolError for what no receiver sends. */
export function readCredit(arg: number, body: Body): Room & { readonly kind: number } {
  const count = arg & 0xff_ffff;
  const bytes = body.length === 0 ? 0 : body.length < 16 ? body.value() : undefined;
  if (count === 0 || typeof bytes !== 'number' || !Number.isSafeInteger(bytes) || bytes < 0)
    throw new ProtocolError('credit that names no count or no bytes');
  return { kind: arg >>> 24, count, bytes };
}

/**
 * The sender's side of a window: a message may leave while there is room for one more and for a byte, so that the last one may be larger
 * than the room that is left.
 */
export class SendCredit {
  #count: number;
  #bytes: number;

  constructor({ count, bytes }: Room) {
    this.#count = count;
    this.#bytes = bytes;
  }

  /** Whether one more message may leave. */
  get open(): boolean {
    return this.#count > 0 && this.#bytes > 0;
  }

  /** A message of so many bytes leaves. */
  spend(bytes: number): void {
    this.#count--;
    this.#bytes -= bytes;
  }

  /**
   * The receiver has room for more.
   * @param most what it may have room for; throws ProtocolError beyond that
   */
  give({ count, bytes }: Room, most?: Room): void {
    this.#count += count;
    this.#bytes += bytes;
    if (most && (this.#count > most.count || this.#bytes > most.bytes)) throw new ProtocolError('credit for what it was never sent');
  }
}

/** The receiver's side of a window: what the sender may still send, and what is due to it for messages that were dealt with. */
export class ReceiveWindow {
  #size: Room;
  #count: number;
  #bytes: number;
  #dueCount = 0;
  #dueBytes = 0;
  /** The reader has had to wait since the last grant: the window is too small for it. */
  #starved = false;

  constructor(size: Room) {
    this.#size = size;
    this.#count = size.count;
    this.#bytes = size.bytes;
  }

  /** Whether the sender has no credit at present. */
  get exhausted(): boolean {
    return this.#count <= 0 || this.#bytes <= 0;
  }

  /** A message has come. False: its sender had no credit for it. */
  received(bytes: number): boolean {
    if (this.exhausted) return false;
    this.#count--;
    this.#bytes -= bytes;
    return true;
  }

  /** The reader finds nothing to read. */
  starved(): void {
    this.#starved = true;
  }

  /**
   * A message of so many bytes was dealt with. Returns the room to give to the sender, in batches of half a window; undefined: none yet.
   * @param mayGrow whether the window may have so many bytes more, for a reader that keeps up
   */
  consumed(bytes: number, mayGrow?: (bytes: number) => boolean): Room | undefined {
    this.#dueCount++;
    this.#dueBytes += bytes;
    const byCount = this.#dueCount * 2 >= this.#size.count;
    const byBytes = this.#dueBytes * 2 >= this.#size.bytes;
    if (!byCount && !byBytes) return undefined;
    let count = this.#dueCount;
    let more = this.#dueBytes;
    if (this.#starved && mayGrow) {
      const grownCount = byCount ? Math.min(this.#size.count, WIDEST.count - this.#size.count) : 0;
      const grownBytes = byBytes ? Math.min(this.#size.bytes, WIDEST.bytes - this.#size.bytes) : 0;
      if ((grownCount > 0 || grownBytes > 0) && mayGrow(grownBytes)) {
        count += grownCount;
        more += grownBytes;
        this.#size = { count: this.#size.count + grownCount, bytes: this.#size.bytes + grownBytes };
      }
    }
    this.#starved = false;
    this.#dueCount = this.#dueBytes = 0;
    this.#count += count;
    this.#bytes += more;
    return { count, bytes: more };
  }
}
