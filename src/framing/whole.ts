import { tooLarge, truncated } from './failures.js';
import type { Decoder, Framing } from './framing.js';

/**
 * Reads one datagram with a stream's decoder: as nothing follows, what is left in it is its last message, or cut off.
 * So `next()` gives out everything there is, and the driver needs no `end()`.
 */
class WholeDecoder<In> implements Decoder<In> {
  readonly #inner: Decoder<In>;
  readonly #empty: In | undefined;
  #size = 0;
  #ended = false;

  constructor(inner: Decoder<In>, empty: In | undefined) {
    this.#inner = inner;
    this.#empty = empty;
  }

  push(datagram: Buffer): void {
    this.#size = datagram.length;
    this.#inner.push(datagram);
  }

  search(): boolean {
    return this.#ended || this.#inner.search?.() !== false;
  }

  next(): In | undefined {
    if (this.#ended) return undefined;
    const message = this.#inner.next();
    if (message !== undefined) return message;
    this.#ended = true;
    if (this.#size === 0) return this.#empty;
    if (this.#inner.end) return this.#inner.end();
    const left = this.#inner.rest().length;
    if (left > 0) throw truncated(`a message in a datagram of ${this.#size} bytes`, left);
    return undefined;
  }

  rest(): Buffer {
    return this.#ended && this.#inner.end === undefined ? Buffer.alloc(0) : this.#inner.rest();
  }
}

/**
 * The whole variant of a framing: its decoder reads one datagram to the end; `encode` leaves the delimiter off.
 * `empty`: the message of an empty datagram; none when left out.
 */
export function wholeOf<In, Out>(
  stream: Omit<Framing<In, Out>, 'whole'>,
  encode: Framing<In, Out>['encode'],
  empty?: () => In,
): Framing<In, Out> {
  return { ...stream, decoder: limit => new WholeDecoder(stream.decoder(limit), empty?.()), encode };
}

/** Each datagram is one message, even an empty one. */
class DatagramDecoder<In> implements Decoder<In> {
  readonly #limit: number;
  readonly #read: (datagram: Buffer, limit: number) => In;
  readonly #datagrams: Buffer[] = [];

  constructor(limit: number, read: (datagram: Buffer, limit: number) => In) {
    this.#limit = limit;
    this.#read = read;
  }

  push(datagram: Buffer): void {
    this.#datagrams.push(datagram);
  }

  next(): In | undefined {
    const datagram = this.#datagrams.shift();
    if (datagram === undefined) return undefined;
    if (datagram.length > this.#limit) throw tooLarge('a datagram', this.#limit);
    return this.#read(datagram, this.#limit);
  }

  rest(): Buffer {
    return Buffer.concat(this.#datagrams);
  }
}

/** The whole variant of a framing that says in front of each message how long it is: the message alone. */
export function datagrams<In, Out>(
  stream: Omit<Framing<In, Out>, 'whole'>,
  read: (datagram: Buffer, limit: number) => In,
  encode: Framing<In, Out>['encode'],
): Framing<In, Out> {
  return { ...stream, decoder: limit => new DatagramDecoder(limit, read), encode };
}
