import { FramingError } from '../errors.js';
import { mostParts } from './decoding/json-guard.js';
import { decodeFromPeer, encodeForPeer } from '../wire/codec/codec.js';
import type { Decoder, Framing } from './framing.js';
import { LengthPrefix, LengthPrefixedDecoder, withLength } from './length-prefixed.js';
import { datagrams } from './whole.js';

class ObjectsDecoder<In> implements Decoder<In> {
  readonly #contents: LengthPrefixedDecoder;
  readonly #limit: number;

  constructor(prefix: LengthPrefix, limit: number) {
    this.#limit = limit;
    this.#contents = new LengthPrefixedDecoder(prefix, limit);
  }

  push(chunk: Buffer): void {
    this.#contents.push(chunk);
  }

  next(): In | undefined {
    const content = this.#contents.next();
    return content === undefined ? undefined : valueOf<In>(content, this.#limit);
  }

  end(): undefined {
    return this.#contents.end();
  }

  get pending(): number {
    return this.#contents.pending;
  }

  rest(): Buffer {
    return this.#contents.rest();
  }
}

/** The bytes are the value's own: large buffers in it may stay where they are. In is the peer's promise; a schema holds it to that. */
function valueOf<In>(content: Buffer, limit: number): In {
  let value: unknown;
  try {
    value = decodeFromPeer(content, mostParts(limit));
  } catch (cause) {
    throw new FramingError('a message is not a structured value', { cause });
  }
  if (value === undefined) throw new FramingError('undefined is not a message');
  return value as In;
}

function bytesOf(message: unknown): Uint8Array {
  if (message === undefined) throw new TypeError('objects() cannot encode undefined: it is not a message');
  return encodeForPeer(message, 'message');
}

/**
 * Structured values, each behind its length (4 bytes, big-endian): plain data, Map, Set, Date, BigInt, Buffer, cycles, errors with their
 * class; what crosses to a worker process can be sent to a peer that speaks packet-ts, except regular expressions: send source and flags,
 * and let a schema make one of them.
 *
 * Decoding takes time and memory linear in the bytes received, at most 100 levels deep; anything that no encoder writes is a FramingError,
 * and so is a value with more than 100 000 objects, keys and entries (or one for 16 bytes of `maxMessageSize`, where that is more).
 * Encoding throws NotCloneableError, naming the path of what cannot be copied.
 * @example
 * @Connection({ listen: 'unix:/run/app.sock', framing: objects<Command, Result>() })
 */
export function objects<In = unknown, Out = In>(): Framing<In, Out> {
  const prefix = new LengthPrefix({ bytes: 4 });
  const stream = {
    decoder: (limit: number) => new ObjectsDecoder<In>(prefix, limit),
    encode: (message: Out) => withLength(prefix, bytesOf(message)),
    symmetric: true as const,
  };
  return { ...stream, whole: datagrams<In, Out>(stream, valueOf, bytesOf) };
}
