import { peerGroup } from '../../endpoints/address.js';
import type { Remote } from '../../endpoints/endpoint.js';
import { FramingError } from '../../errors.js';
import type { Decoder, Framing } from '../../framing/framing.js';
import { AnswerBudget } from './answer-budget.js';
import type { ReceiveBuffer } from './stream-buffer.js';

/** Bytes that one datagram costs besides its own: its objects, and those of its sender. */
const PART = 256;

/** The datagrams of one address and port, in order. */
interface Sender {
  readonly from: Remote | undefined;
  readonly waiting: Buffer[];
  weight: number;
}

/** The senders of one address (IPv6: one /64): a host may open as many ports as it likes, and they share its turn. */
interface SenderHost {
  /** By url; the next to be read comes first. */
  readonly senders: Map<string, Sender>;
  weight: number;
}

/** Whether a newcomer asks for more than the average of those that share. */
function isGreedy(own: number, shared: number, sharers: number, cost: number): boolean {
  return (own + cost) * sharers >= shared + cost;
}

function heaviestOf<T extends { readonly weight: number }>(all: ReadonlyMap<string, T>): [string, T] | undefined {
  let heaviest: [string, T] | undefined;
  for (const entry of all) if (!heaviest || entry[1].weight > heaviest[1].weight) heaviest = entry;
  return heaviest;
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
 * Addresses take turns, and so do the ports of each; when the room is used up, the address with most waiting loses, of its port with most:
 * a flood drowns out nothing else, whatever ports it comes from.
 * Owned by one session.
 */
export class DatagramQueue implements ReceiveBuffer {
  #framing: Framing<unknown, unknown>;
  #limit: number;
  readonly #capacity: number;
  /** By address group; the next to be read comes first. */
  readonly #hosts = new Map<string, SenderHost>();
  /** Decoder of the datagram being read. */
  #decoder: Decoder<unknown> | undefined;
  #size = 0;
  #budget: AnswerBudget | undefined;
  from: Remote | undefined;
  weight = 0;
  readonly hasBegun = false;
  readonly hasPassedOver = false;
  isSearching = false;

  /** @param capacity what may wait; a single datagram always may. */
  constructor(framing: Framing<unknown, unknown>, limit: number, capacity: number) {
    this.#framing = framing.whole ?? framing;
    this.#limit = limit;
    this.#capacity = capacity;
  }

  push(datagram: Buffer, from: Remote | undefined): void {
    const cost = datagram.length + PART;
    const group = from?.address === undefined ? '' : peerGroup(from.address);
    const key = from?.url ?? '';
    while (this.weight > 0 && this.weight + cost > this.#capacity) if (!this.#makeRoom(group, key, cost)) return;
    let host = this.#hosts.get(group);
    if (!host) this.#hosts.set(group, (host = { senders: new Map(), weight: 0 }));
    const sender = host.senders.get(key);
    this.weight += cost;
    host.weight += cost;
    if (sender) {
      sender.waiting.push(datagram);
      sender.weight += cost;
    } else host.senders.set(key, { from, waiting: [datagram], weight: cost });
  }

  get size(): number {
    return this.weight;
  }

  /** One message, and whose in `from`. Throws what the decoder throws: then the next call goes on behind that datagram. */
  next(): unknown {
    this.isSearching = false;
    for (;;) {
      const decoder = this.#decoder ?? this.#open();
      if (!decoder) return undefined;
      if (decoder.search?.() === false) {
        this.#decoder = decoder;
        this.isSearching = true;
        return undefined;
      }
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

  /** Bytes that answers to the datagram that `next` read last may take, if it is no valid message: all messages in it share them. */
  get answerBudget(): AnswerBudget {
    return (this.#budget ??= new AnswerBudget(this.#size));
  }

  /** Datagrams have no end. */
  end(): undefined {}

  take(): Buffer {
    const senders = [...this.#hosts.values()].flatMap(host => [...host.senders.values()]);
    const waiting = senders.flatMap(sender => sender.waiting);
    this.drop();
    return Buffer.concat(waiting);
  }

  setFraming(framing: Framing<unknown, unknown>, limit: number): void {
    this.#framing = framing.whole ?? framing;
    this.#limit = limit;
  }

  drop(): void {
    this.#decoder = undefined;
    this.#hosts.clear();
    this.weight = 0;
  }

  /** Begins to read the datagram whose turn it is. */
  #open(): Decoder<unknown> | undefined {
    const [turn] = this.#hosts;
    if (!turn) return undefined;
    const [group, host] = turn;
    // A host is kept only while it has senders.
    const [key, sender] = host.senders.entries().next().value!;
    const datagram = sender.waiting.shift()!;
    this.#lighten(host, sender, datagram);
    // Behind all others, now that they had their turn.
    host.senders.delete(key);
    if (sender.waiting.length > 0) host.senders.set(key, sender);
    this.#hosts.delete(group);
    if (host.senders.size > 0) this.#hosts.set(group, host);
    this.from = sender.from;
    this.#size = datagram.length;
    this.#budget = undefined;
    const decoder = this.#framing.decoder(this.#limit);
    decoder.push(datagram);
    return decoder;
  }

  /** Drops the newest datagram of the heaviest; false: that is the one that asks. */
  #makeRoom(group: string, key: string, cost: number): boolean {
    const host = this.#hosts.get(group);
    let heaviest: [string, SenderHost] | undefined;
    if (isGreedy(host?.weight ?? 0, this.weight, this.#hosts.size + (host ? 0 : 1), cost)) {
      const sender = host?.senders.get(key);
      // Within its own address the same holds for its port.
      if (!host || isGreedy(sender?.weight ?? 0, host.weight, host.senders.size + (sender ? 0 : 1), cost)) return false;
      heaviest = [group, host];
    } else heaviest = heaviestOf(this.#hosts)!;
    const [of, loser] = heaviest;
    const [port, sender] = heaviestOf(loser.senders)!;
    this.#lighten(loser, sender, sender.waiting.pop()!);
    if (sender.waiting.length === 0) loser.senders.delete(port);
    if (loser.senders.size === 0) this.#hosts.delete(of);
    return true;
  }

  #lighten(host: SenderHost, sender: Sender, datagram: Buffer): void {
    const cost = datagram.length + PART;
    this.weight -= cost;
    host.weight -= cost;
    sender.weight -= cost;
  }
}
