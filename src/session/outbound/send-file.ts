import { open, type FileHandle } from 'node:fs/promises';
import { ConnectionClosedError, UsageError } from '../../errors.js';
import type { SendBuffer } from './send-buffer.js';
import type { FileRange } from '../peer-options.js';

export type { FileRange };

/** Bytes read at a time. */
const PIECE = 64 * 1024;

/** A sent file's side of its session. */
export interface FileHost {
  readonly state: { readonly isOver: boolean };
  readonly sendBuffer: SendBuffer;
}

/**
 * Sends a part of a file past the framing, reading only as fast as the peer does. What others send meanwhile follows it.
 * Resolves with its bytes when the kernel has them.
 */
export async function sendFileOver(host: FileHost, path: string | URL, { start = 0, length = Infinity }: FileRange): Promise<number> {
  const { sendBuffer } = host;
  if (!(start >= 0) || !(length >= 0)) throw new UsageError(`a file has no part from ${start} of ${length} bytes`);
  // Before anything is waited for: what is sent from now on is behind the file.
  if (!sendBuffer.beginExclusive())
    throw host.state.isOver ? new ConnectionClosedError() : new UsageError('a file is being sent already: wait for it');
  let sent: number;
  try {
    sent = await copy(host, await open(path, 'r'), start, length);
  } finally {
    sendBuffer.endExclusive();
  }
  await sendBuffer.whenEmpty();
  return sent;
}

async function copy(host: FileHost, file: FileHandle, start: number, length: number): Promise<number> {
  let sent = 0;
  try {
    for (;;) {
      const piece = Buffer.allocUnsafe(Math.min(PIECE, length - sent));
      const { bytesRead } = await file.read(piece, 0, piece.length, start + sent);
      if (host.state.isOver) throw new ConnectionClosedError();
      if (bytesRead === 0) {
        if (length !== Infinity && sent < length)
          throw new UsageError(`the file ends ${length - sent} bytes before the ${length} that were to be sent`);
        return sent;
      }
      host.sendBuffer.write(piece.subarray(0, bytesRead));
      sent += bytesRead;
      await host.sendBuffer.waitForRoom();
    }
  } catch (error) {
    if (sent > 0) host.sendBuffer.breakOff();
    throw error;
  } finally {
    await file.close();
  }
}
