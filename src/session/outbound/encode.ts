import type { Transport } from '../../endpoints/endpoint.js';
import { EncodeError, UsageError } from '../../errors.js';
import type { Chunk, Framing } from '../../framing/framing.js';

/** Where messages are delimited already, a framing leaves its delimiter off. */
export function framingOn({ kind }: Transport, framing: Framing<unknown, unknown>): Framing<unknown, unknown> {
  return kind === 'message' ? (framing.whole ?? framing) : framing;
}

/** Refuses what can only be said to one peer. Throws UsageError. */
export function requireOnePeer({ shared }: Transport): void {
  if (shared) throw new UsageError('many peers share this socket: name the receiver, with sendTo(message, to)');
}

/** Refuses what only a stream of bytes can take. Throws UsageError. */
export function requireStream({ kind }: Transport, otherwise: string): void {
  if (kind === 'message') throw new UsageError(otherwise);
}

function isChunk(value: unknown): value is Chunk {
  return typeof value === 'string' || value instanceof Uint8Array;
}

/**
 * A message as bytes. Throws EncodeError, also where the framing throws another error or returns no bytes: those would
 * fail at the end of the turn, where the handler that sent them is no longer known.
 */
export function encodeMessage(framing: Framing<unknown, unknown>, message: unknown, handler: string): Chunk | readonly Chunk[] {
  try {
    const bytes: unknown = framing.encode(message);
    if (isChunk(bytes) || (Array.isArray(bytes) && bytes.every(isChunk))) return bytes;
    throw new TypeError('the framing encodes it as something else than a string, bytes, or a list of them');
  } catch (cause) {
    throw new EncodeError(handler, cause);
  }
}

/** The chunks of one message. Throws EncodeError when it is longer than one may be. */
export function datagramOf(message: Chunk | readonly Chunk[], { longest }: Transport, handler: string): readonly Chunk[] {
  const chunks = typeof message === 'string' || message instanceof Uint8Array ? [message] : message;
  if (longest === undefined) return chunks;
  let size = 0;
  for (const chunk of chunks) size += Buffer.byteLength(chunk);
  if (size <= longest) return chunks;
  throw new EncodeError(handler, new RangeError(`the message has ${size} bytes, and ${longest} are the most here`));
}
