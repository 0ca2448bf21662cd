import type { Socket } from 'node:net';

/** libuv's counts of a stream; undocumented, so the code does without where they are missing. */
interface Known {
  readonly _handle?: { readonly bytesWritten?: number; readonly writeQueueSize?: number } | null;
}

/** Bytes that the kernel took of a socket: it grows while the other side reads, also in the middle of a large piece. */
export function takenFrom(socket: Socket & Known): number {
  const { bytesWritten, writeQueueSize } = socket._handle ?? {};
  if (bytesWritten === undefined || writeQueueSize === undefined) return socket.bytesWritten - socket.writableLength;
  return bytesWritten - writeQueueSize;
}
