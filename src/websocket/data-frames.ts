import type { Chunk } from '../framing/framing.js';
import { isText } from '../framing/shared-text.js';

/** First byte of a whole message: text, binary. */
const TEXT = 0x81;
const BINARY = 0x82;
/** Messages up to so many bytes are put together; a larger one stays where it is, behind its header. */
const SMALL = 4 * 1024;

function sizeOf(message: Chunk): number {
  return typeof message === 'string' ? Buffer.byteLength(message) : message.length;
}

function headerSize(length: number): number {
  return length < 126 ? 2 : length < 0x1_0000 ? 4 : 10;
}

function header(buf: Buffer, at: number, message: Chunk, length: number): number {
  buf[at] = isText(message) ? TEXT : BINARY;
  if (length < 126) {
    buf[at + 1] = length;
    return at + 2;
  }
  if (length < 0x1_0000) {
    buf[at + 1] = 126;
    return buf.writeUInt16BE(length, at + 2);
  }
  buf[at + 1] = 127;
  return buf.writeUIntBE(length, buf.writeUInt16BE(0, at + 2), 6);
}

function put(buf: Buffer, at: number, message: Chunk, length: number): number {
  const start = header(buf, at, message, length);
  if (typeof message === 'string') buf.write(message, start);
  else buf.set(message, start);
  return start + length;
}

/**
 * The frames of a server for these messages, each a single frame without a mask: short ones one behind the other in one piece of
 * memory, since a piece of its own for each header and each message costs more than to copy them.
 */
export function dataFrames(messages: readonly Chunk[]): Buffer[] {
  const frames: Buffer[] = [];
  for (let from = 0; from < messages.length;) {
    const sizes: number[] = [];
    let room = 0;
    let size = 0;
    for (let i = from; i < messages.length && size <= SMALL; i++) {
      size = sizeOf(messages[i]!);
      sizes.push(size);
      room += headerSize(size) + (size <= SMALL ? size : 0);
    }
    const buf = Buffer.allocUnsafe(room);
    frames.push(buf);
    let at = 0;
    for (const length of sizes) {
      const message = messages[from++]!;
      if (length <= SMALL) at = put(buf, at, message, length);
      else {
        header(buf, at, message, length);
        frames.push(typeof message === 'string' ? Buffer.from(message) : Buffer.from(message.buffer, message.byteOffset, length));
      }
    }
  }
  return frames;
}
