import { writeSync } from 'node:fs';
import type { Duplex } from 'node:stream';

/** The part of a socket's inside that Node has no public name for. */
interface Handle {
  /** Bytes given to the kernel or on their way there. */
  readonly bytesWritten: number;
  /** Those of them that are still on their way. */
  readonly writeQueueSize: number;
  setBlocking?(blocking: boolean): void;
}

function handleOf(stream: Duplex): Handle | undefined {
  const { _handle: handle } = stream as Duplex & { readonly _handle?: Partial<Handle> | null };
  return typeof handle?.bytesWritten === 'number' && typeof handle.writeQueueSize === 'number' ? (handle as Handle) : undefined;
}

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
  const handle = handleOf(stream);
  if (!handle) return undefined;
  handle.setBlocking?.(true);
  return { taken: handle.bytesWritten - handle.writeQueueSize, write: bytes => writeWhole(fd, bytes) };
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
