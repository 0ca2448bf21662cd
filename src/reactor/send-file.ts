import { open } from 'node:fs/promises';
import { ConnectionClosedError, UsageError } from '../errors.js';
import type { Outbound } from './outbound.js';
import type { FileRange } from './peer.js';

/** Bytes read at a time. */
const PIECE = 64 * 1024;

/** What sending a file asks of its session. */
export interface FileHost {
  readonly ending: { readonly over: boolean };
  readonly outbound: Outbound;
  room(): Promise<void> | undefined;
}

/**
 * Sends a part of a file past the framing, reading only as fast as the peer does. What others send meanwhile follows it.
 * Resolves with its bytes when the kernel has them.
 */
export async function sendFile(host: FileHost, path: string | URL, { start = 0, length = Infinity }: FileRange): Promise<number> {
  const { outbound } = host;
  if (!(start >= 0) || !(length >= 0)) throw new UsageError(`a file has no part from ${start} of ${length} bytes`);
  const file = await open(path, 'r');
  try {
    if (host.ending.over) throw new ConnectionClosedError();
    if (!outbound.seize()) throw new UsageError('a file is being sent already: wait for it');
    let sent = 0;
    try {
      while (sent < length) {
        const piece = Buffer.allocUnsafe(Math.min(PIECE, length - sent));
        const { bytesRead } = await file.read(piece, 0, piece.length, start + sent);
        if (host.ending.over) throw new ConnectionClosedError();
        if (bytesRead === 0) break;
        outbound.write(piece.subarray(0, bytesRead));
        sent += bytesRead;
        await host.room();
      }
    } finally {
      outbound.yield();
    }
    await outbound.whenEmpty();
    return sent;
  } finally {
    await file.close();
  }
}
