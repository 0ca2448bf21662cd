import type { Socket } from 'node:net';

/** What libuv knows of a stream; not documented, and done without where it is missing. */
interface Known {
  readonly _handle?: { readonly bytesWritten?: number; readonly writeQueueSize?: number } | null;
}

/** Bytes that the kernel took of a socket: it grows while the other side reads, also in the middle of a large piece. */
export function takenFrom(socket: Socket & Known): number {
  const { bytesWritten, writeQueueSize } = socket._handle ?? {};
  if (bytesWritten === undefined || writeQueueSize === undefined) return socket.bytesWritten - socket.writableLength;
  return bytesWritten - writeQueueSize;
}
