import type { Remote } from '../endpoints/endpoint.js';
import { FramingError } from '../errors.js';
import type { Decoder, Framing } from '../framing/framing.js';
import type { Inbox } from './inbound.js';

/** What one datagram costs besides its bytes: its objects, and those of its sender. */
const PART = 256;

/** Who sends: its datagrams in order. */
interface Sender {
  readonly from: Remote | undefined;
  readonly waiting: Buffer[];
  weight: number;
}

/** Reads one datagram to its end. Throws when it holds less than whole messages. */
export function lastOf(decoder: Decoder<unknown>, size: number): unknown {
  if (decoder.end) return decoder.end();
  const left = decoder.rest().length;
  if (left === 0) return undefined;
  throw new FramingError(`a message of ${size} bytes holds no whole one: ${left} bytes are left over`, {
    code: 'ERR_PACKET_FRAMING_TRUNCATED',
  });
}

/**
 * The messages of a transport that delimits them itself, received and not handled yet: each has a decoder of its own.
 * Senders take turns, and when the room is used up the one who has most waiting loses: nobody is drowned out by a flood.
 * Owned by one session.
 */
export class Datagrams implements Inbox {
  #framing: Framing<unknown, unknown>;
  #limit: number;
  readonly #capacity: number;
  /** By address; who is next comes first. */
  readonly #senders = new Map<string, Sender>();
  /** Of the datagram being read. */
  #decoder: Decoder<unknown> | undefined;
  #size = 0;
  from: Remote | undefined;
  weight = 0;
  readonly begun = false;

  /** @param capacity what may wait; a single datagram always may. */
  constructor(framing: Framing<unknown, unknown>, limit: number, capacity: number) {
    this.#framing = framing.whole ?? framing;
    this.#limit = limit;
    this.#capacity = capacity;
  }

  push(datagram: Buffer, from: Remote | undefined): void {
    const cost = datagram.length + PART;
    const key = from?.url ?? '';
    const sender = this.#senders.get(key);
    while (this.weight > 0 && this.weight + cost > this.#capacity) {
      // Someone has more than the average, or else the newcomer asks for more than that.
      const senders = this.#senders.size + (sender ? 0 : 1);
      if (((sender?.weight ?? 0) + cost) * senders >= this.weight + cost) return;
      this.#dropOfHeaviest();
    }
    this.weight += cost;
    // Looked up again: it may have been the heaviest.
    const known = this.#senders.get(key);
    if (known) {
      known.waiting.push(datagram);
      known.weight += cost;
    } else this.#senders.set(key, { from, waiting: [datagram], weight: cost });
  }

  /** One message, and whose in `from`. Throws what the decoder throws: then the next call goes on behind that datagram. */
  next(): unknown {
    for (;;) {
      const decoder = this.#decoder ?? this.#open();
      if (!decoder) return undefined;
      this.#decoder = undefined;
      const message = decoder.next();
      if (message !== undefined) {
        this.#decoder = decoder;
        return message;
      }
      const rest = lastOf(decoder, this.#size);
      if (rest !== undefined) return rest;
    }
  }

  /** Datagrams have no end. */
  end(): undefined {}

  take(): Buffer {
    const waiting = [...this.#senders.values()].flatMap(sender => sender.waiting);
    this.drop();
    return Buffer.concat(waiting);
  }

  use(framing: Framing<unknown, unknown>, limit: number): void {
    this.#framing = framing.whole ?? framing;
    this.#limit = limit;
  }

  drop(): void {
    this.#decoder = undefined;
    this.#senders.clear();
    this.weight = 0;
  }

  /** Begins to read the datagram whose turn it is. */
  #open(): Decoder<unknown> | undefined {
    const [first] = this.#senders;
    if (!first) return undefined;
    const [key, sender] = first;
    const datagram = sender.waiting.shift()!;
    const cost = datagram.length + PART;
    this.weight -= cost;
    sender.weight -= cost;
    this.#senders.delete(key);
    // Behind all others, now that it had its turn.
    if (sender.waiting.length > 0) this.#senders.set(key, sender);
    this.from = sender.from;
    this.#size = datagram.length;
    const decoder = this.#framing.decoder(this.#limit);
    decoder.push(datagram);
    return decoder;
  }

  #dropOfHeaviest(): void {
    let heaviest: [string, Sender] | undefined;
    for (const entry of this.#senders) if (!heaviest || entry[1].weight > heaviest[1].weight) heaviest = entry;
    if (!heaviest) return;
    const [key, sender] = heaviest;
    const cost = sender.waiting.pop()!.length + PART;
    sender.weight -= cost;
    this.weight -= cost;
    if (sender.waiting.length === 0) this.#senders.delete(key);
  }
}
