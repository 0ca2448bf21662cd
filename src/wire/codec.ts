import { Buffer } from 'node:buffer';
import { Decoder } from './decoder.js';
import { SlabEncoder } from './slab-encoder.js';
import type { Encoded } from './types.js';

const encoder = new SlabEncoder();
const decoder = new Decoder();

/**
 * The bytes of a structured value: a copy of its own.
 * @param limit the most bytes it may take; 0: any number
 * @param root what the message of an error calls it
 * @throws NotCloneableError naming the path of what cannot be copied, MessageTooLargeError
 * @example decodeValue(encodeValue(new Map([['a', new Date()]])))
 */
export function encodeValue(value: unknown, limit = 0, root = 'input'): Encoded {
  // A getter in the value may encode another one.
  return (encoder.busy ? new SlabEncoder() : encoder).copyOf(value, limit, root);
}

/** The memory of this encoding may be written over: it was sent, and its value is needed by nobody. Worth telling of large ones only. */
export function reuseEncoded(encoded: Encoded): void {
  encoder.reuse(encoded);
}

/**
 * The value that lies in encoded bytes; it shares no memory with them.
 * @throws ProtocolError for anything that `encodeValue` does not write, in time and memory linear in the bytes
 */
export function decodeValue(bytes: Uint8Array): unknown {
  return decoder.decode(
    Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    0,
    bytes.length,
    false,
  );
}

/** The same for a part of a larger buffer. `owned`: nobody else uses that memory, so that large Buffers in the value may stay in it. */
export function decodeRange(buf: Buffer, start: number, end: number, owned: boolean): unknown {
  return decoder.decode(buf, start, end, owned);
}
