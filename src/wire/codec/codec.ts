import { Buffer } from 'node:buffer';
import { attachmentsOf, hasAttachments } from './attachments.js';
import { ValueDecoder } from './decoder.js';
import { SlabEncoder } from '../bytes/slab-encoder.js';
import type { Encoded } from '../link/types.js';

const encoder = new SlabEncoder();
const decoder = new ValueDecoder({ trusted: true });
const receivedDecoder = new ValueDecoder();
/** For values of peers: no regular expressions. */
let peerEncoder: SlabEncoder | undefined;
const peerDecoder = new ValueDecoder({ regExps: false });

/**
 * The bytes of a structured value: a copy of its own.
 * @param limit the most bytes it may take; 0: any number
 * @param root what the message of an error calls it
 * @param shares memory can be moved to the receiver and shared with it
 * @throws NotCloneableError naming the path of what cannot be copied, MessageTooLargeError
 * @example decodeValue(encodeValue(new Map([['a', new Date()]])))
 */
export function encodeValue(value: unknown, limit = 0, root = 'input', shares = false): Encoded {
  // A getter in the value may encode another one.
  return (encoder.busy ? new SlabEncoder() : encoder).copyOf(value, limit, root, shares);
}

/** Lets the encoding's memory be written over: it was sent, and its value is not needed any more. Worth calling for large ones only. */
export function reuseEncoded(encoded: Encoded): void {
  encoder.reuse(encoded);
}

/**
 * The value that lies in encoded bytes; it shares no memory with them.
 * @throws ProtocolError for anything that `encodeValue` does not write, in time and memory linear in the bytes
 */
export function decodeValue(bytes: Uint8Array): unknown {
  return decoded(bytes, decoder);
}

/**
 * Decodes bytes that an untrusted process or machine wrote, as `decodeValue` does.
 * @throws TooManyPartsError, too
 */
export function decodeReceived(bytes: Uint8Array): unknown {
  return decoded(bytes, receivedDecoder);
}

function decoded(bytes: Uint8Array, by: ValueDecoder): unknown {
  const buf = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return by.decode(buf, 0, bytes.length, false, attachmentsOf(bytes));
}

/**
 * Encodes the value again with nothing beside it: memory that was moved is copied into it.
 * @throws NotCloneableError where something beside it is shared, or a port
 */
export function withoutAttachments(encoded: Encoded): Encoded {
  return hasAttachments(encoded) ? encodeValue(decodeValue(encoded), 0, 'output') : encoded;
}

/**
 * The bytes of a value for a peer, which may not send regular expressions and is sent none.
 * @throws NotCloneableError naming the path of what cannot be copied
 */
export function encodeForPeer(value: unknown, root: string): Encoded {
  peerEncoder ??= new SlabEncoder({ regExps: false });
  return (peerEncoder.busy ? new SlabEncoder({ regExps: false }) : peerEncoder).copyOf(value, 0, root);
}

/**
 * The value in bytes that a peer sent and that nothing else uses: large Buffers in it stay where they are.
 * @param mostParts how many objects, keys and entries of collections it may have
 * @throws ProtocolError for anything that `encodeForPeer` does not write, and for more parts
 */
export function decodeFromPeer(bytes: Buffer, mostParts: number): unknown {
  peerDecoder.mostParts = mostParts;
  return peerDecoder.decode(bytes, 0, bytes.length, true);
}
