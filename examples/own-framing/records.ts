import { ByteQueue, FramingError, type Decoder, type Framing } from 'packet-ts/framing';

/** A type in one byte, a length in two, the value. */
export interface TypedRecord {
  readonly type: number;
  readonly value: Buffer;
}

const HEADER = 3;

class RecordDecoder implements Decoder<TypedRecord> {
  readonly #queue = new ByteQueue();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  push(chunk: Buffer): void {
    this.#queue.push(chunk);
  }

  next(): TypedRecord | undefined {
    const queue = this.#queue;
    if (!queue.has(HEADER)) return undefined;
    const length = queue.at(1) * 256 + queue.at(2);
    // Before any of it is awaited: a peer must not decide how much is kept for it.
    if (length > this.#limit) throw new FramingError(`a record of ${length} bytes`, { code: 'ERR_PACKET_FRAMING_TOO_LARGE' });
    if (!queue.has(HEADER + length)) return undefined;
    const type = queue.at(0);
    queue.skip(HEADER);
    return { type, value: queue.take(length) };
  }

  get pending(): number {
    return this.#queue.length;
  }

  rest(): Buffer {
    return this.#queue.drain();
  }
}

export function records(): Framing<TypedRecord> {
  return {
    decoder: limit => new RecordDecoder(limit),
    encode({ type, value }) {
      if (value.length > 0xffff) throw new RangeError(`a record cannot have ${value.length} bytes: 65535 is the most`);
      return [Buffer.from([type, value.length >> 8, value.length & 0xff]), value];
    },
    maxMessageSize: '64kb',
    symmetric: true,
  };
}
