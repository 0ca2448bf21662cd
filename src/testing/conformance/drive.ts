import assert from 'node:assert';
import { inspect, isDeepStrictEqual } from 'node:util';
import { FramingError } from '../../errors.js';
import type { Chunk, Decoder, Framing } from '../../framing/framing.js';

/** Every offset of a sample up to this size is looked at, in a larger one some. */
export const SMALL = 4096;
const LARGE = 64 * 1024;

/** Result of decoding some bytes. */
export interface Outcome<In> {
  readonly messages: readonly In[];
  /** The FramingError that ended it. */
  readonly error?: FramingError;
}

/** A decoder may give out more messages than it was given bytes, but not without end. */
export const MOST_PER_BYTE = 16;

/** Asks for messages until there are none; as a session does after each chunk. */
export function drain<In>(decoder: Decoder<In>, received: number, take: (message: In) => void): void {
  for (let given = 0; ; given++) {
    const message = decoder.next();
    if (message === undefined) return;
    assert.ok(given <= MOST_PER_BYTE * (received + 1), `next() gave out ${given} messages after ${received} bytes, and does not stop`);
    take(message);
  }
}

/** A session's way with one connection: the chunks, then the end. Anything but a FramingError passes through. */
export function decode<In>(framing: Framing<In, never>, limit: number, chunks: Iterable<Buffer>): Outcome<In> {
  const messages: In[] = [];
  const decoder = framing.decoder(limit);
  let received = 0;
  const take = (message: In): void => void messages.push(message);
  try {
    for (const chunk of chunks) {
      received += chunk.length;
      pushed(decoder, chunk);
      drain(decoder, received, take);
    }
    if (decoder.end) {
      const last = decoder.end();
      if (last !== undefined) take(last);
    }
  } catch (error) {
    if (!(error instanceof FramingError)) throw error;
    return { messages, error };
  }
  const left = decoder.rest();
  if (left.length === 0) return { messages };
  assert.ok(!decoder.end, `end() passed over ${left.length} bytes that rest() still has: they are neither given out nor refused`);
  return { messages, error: new FramingError('the stream ended inside a message', { code: 'ERR_PACKET_FRAMING_TRUNCATED' }) };
}

/** `push` takes bytes in and judges nothing: the messages in front of a bad byte come first. */
export function pushed(decoder: Decoder<unknown>, chunk: Buffer): void {
  try {
    decoder.push(chunk);
  } catch (cause) {
    throw new assert.AssertionError({ message: `push() threw ${String(cause)}: errors are told by next()` });
  }
}

/** Bytes in pieces of that size; each piece is its receiver's own. */
export function* pieces(bytes: Uint8Array, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield Buffer.from(bytes.subarray(at, at + size));
}

/** Byte by byte; a large sample so at its beginning and end, and as from a network between. */
export function* crumbs(bytes: Uint8Array): Generator<Buffer> {
  const edge = bytes.length > LARGE ? SMALL : bytes.length;
  yield* pieces(bytes.subarray(0, edge), 1);
  yield* pieces(bytes.subarray(edge, bytes.length - SMALL), 1448);
  yield* pieces(bytes.subarray(Math.max(edge, bytes.length - SMALL)), 1);
}

/** Bytes in two pieces. */
export function split(bytes: Uint8Array, at: number): Buffer[] {
  return [Buffer.from(bytes.subarray(0, at)), Buffer.from(bytes.subarray(at))].filter(piece => piece.length > 0);
}

export function joinedBytes(chunks: Chunk | readonly Chunk[]): Buffer {
  const list = typeof chunks === 'string' || chunks instanceof Uint8Array ? [chunks] : chunks;
  return Buffer.concat(list.map(chunk => (typeof chunk === 'string' ? Buffer.from(chunk) : chunk)));
}

/** Equal in content. An object without a prototype equals a literal: samples are written as literals. */
export function same(actual: unknown, expected: unknown): boolean {
  // Values that print the same are equal, although two invalid dates are not for isDeepStrictEqual.
  return isDeepStrictEqual(plain(actual), plain(expected)) || shown(plain(actual)) === shown(plain(expected));
}

export function assertSame(actual: unknown, expected: unknown, what: string): void {
  if (same(actual, expected)) return;
  const message = `${what}: got ${excerpt(shown(actual))}, expected ${excerpt(shown(expected))}`;
  throw new assert.AssertionError({ message, actual, expected, operator: 'deepStrictEqual' });
}

function shown(value: unknown): string {
  return inspect(value, { depth: Infinity, maxArrayLength: Infinity, maxStringLength: Infinity, breakLength: Infinity });
}

function excerpt(text: string): string {
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

/** Numbers from 0 to 1 that are the same in every run (mulberry32): a failure can be repeated. */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Offsets from 0 to `length`: all of them, or `most` of them: the first and the last ones, and some between. */
export function offsets(length: number, most: number): number[] {
  const all = Array.from({ length: length + 1 }, (_, at) => at);
  if (all.length <= most) return all;
  const third = Math.floor(most / 3);
  const step = (length - 2 * third) / third;
  return [
    ...new Set([...all.slice(0, third), ...Array.from({ length: third }, (_, i) => Math.floor(third + i * step)), ...all.slice(-third)]),
  ];
}
