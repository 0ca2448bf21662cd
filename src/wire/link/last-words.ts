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

/**
 * Makes a socket wait for the kernel from now on, and tells how many bytes of all that it was given the kernel has taken;
 * undefined for a stream that is no socket of Node's.
 */
export function takenByKernel(stream: Duplex): number | undefined {
  const handle = handleOf(stream);
  if (!handle) return undefined;
  handle.setBlocking?.(true);
  return handle.bytesWritten - handle.writeQueueSize;
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

/** Writes all of it, however long that takes. False: nobody reads it any more. */
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
