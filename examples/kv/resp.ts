import type { Chunk, Framing } from 'packet-ts/framing';
import { CommandDecoder } from './command-decoder.js';

/** What the server says: text and errors are single lines, bytes are a value, null is none. */
export type Reply = string | number | null | Buffer | Error | readonly Reply[];

/** The protocol of Redis (RESP 2), the server's side of it. */
export function resp(): Framing<Buffer[], Reply> {
  return { decoder: limit => new CommandDecoder(limit), encode, maxMessageSize: '16mb' };
}

function encode(reply: Reply): Chunk[] {
  const chunks: Chunk[] = [];
  write(reply, chunks);
  return chunks;
}

function write(reply: Reply, chunks: Chunk[]): void {
  if (reply === null) chunks.push('$-1\r\n');
  else if (typeof reply === 'string') chunks.push(`+${oneLine(reply)}\r\n`);
  else if (typeof reply === 'number') chunks.push(`:${reply}\r\n`);
  else if (Buffer.isBuffer(reply)) chunks.push(`$${reply.length}\r\n`, reply, '\r\n');
  else if (reply instanceof Error) chunks.push(`-ERR ${oneLine(reply.message)}\r\n`);
  else {
    chunks.push(`*${reply.length}\r\n`);
    for (const item of reply) write(item, chunks);
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/[\r\n]+/g, ' ');
}
