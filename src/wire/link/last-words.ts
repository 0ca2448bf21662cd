import { writeSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { bytesTaken, setBlocking } from '../../node-internals.js';

/** How the last bytes of a stream are written, past its own queue. */
export interface LastWay {
  /** Bytes that are on their way already, of all that the stream was given. */
  readonly taken: number;
  /** False: nothing reads it any more. */
  write(bytes: Uint8Array): boolean;
}

/** A stream that can be written past its own queue. */
interface Immediate {
  readonly posted: number;
  writeNow(bytes: Uint8Array): boolean;
}

function isImmediate(stream: Duplex): stream is Duplex & Immediate {
  return 'writeNow' in stream && 'posted' in stream;
}

/**
 * The way past the queue of a stream, for what is written before an exit: a socket of Node's, which waits for the kernel from now on, or a
 * stream that posts at once. Undefined for any other.
 */
export function lastWay(stream: Duplex, fd: number): LastWay | undefined {
  if (isImmediate(stream)) return { taken: stream.posted, write: bytes => stream.writeNow(bytes) };
  const taken = bytesTaken(stream);
  if (taken === undefined) return undefined;
  setBlocking(stream);
  return { taken, write: bytes => writeWhole(fd, bytes) };
}

/** The last `count` bytes of these chunks. */
export function lastBytes(chunks: readonly Uint8Array[], count: number): Uint8Array[] {
  const tail: Uint8Array[] = [];
  let left = count;
  for (let i = chunks.length - 1; i >= 0 && left > 0; i--) {
    const chunk = chunks[i]!;
    tail.unshift(chunk.length > left ? chunk.subarray(chunk.length - left) : chunk);
    left -= chunk.length;
  }
  return tail;
}

/** Writes all of it, however long that takes. False: the pipe has no reader any more. */
export function writeWhole(fd: number, bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      // Where the descriptor could not be made to wait, we wait.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return false;
    }
  }
  return true;
}
