import type { Chunk } from './framing.js';

/**
 * A message of bytes, as a Buffer on the same memory; text becomes UTF-8.
 * @throws TypeError for anything else: the types forbid it, JavaScript does not.
 */
export function payloadOf(message: Chunk, framing: string): Buffer {
  if (typeof message === 'string') return Buffer.from(message);
  if (Buffer.isBuffer(message)) return message;
  if (message instanceof Uint8Array) return Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  throw new TypeError(`${framing} encodes bytes or text, not ${message === null ? 'null' : typeof message}`);
}
