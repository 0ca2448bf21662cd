import { withMessagesOf } from '../decorators/connection/message-kinds.js';
import type { Chunk, Decoder, Framing } from './framing.js';
import { datagrams } from './whole.js';
import { payloadOf } from './payload.js';

class RawDecoder implements Decoder<Buffer> {
  #chunks: Buffer[] = [];
  #next = 0;
  #pending = 0;

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#pending += chunk.length;
  }

  next(): Buffer | undefined {
    const chunk = this.#chunks[this.#next];
    if (chunk === undefined) return undefined;
    this.#next++;
    this.#pending -= chunk.length;
    if (this.#next === this.#chunks.length) {
      this.#chunks = [];
      this.#next = 0;
    }
    return chunk;
  }

  get pending(): number {
    return this.#pending;
  }

  rest(): Buffer {
    return Buffer.concat(this.#chunks.slice(this.#next));
  }
}

/**
 * No framing: bytes as they come, cut wherever the network cut them. It keeps nothing back, so the limit on messages has nothing to limit.
 * @example
 * @Connection({ listen: 'tcp://127.0.0.1:7000' }) // raw() is the default
 * class Echo { @OnData() echo(bytes: Buffer) { return bytes; } }
 */
export function raw(): Framing<Buffer, Chunk> {
  const encode = (message: Chunk): Chunk => (typeof message === 'string' ? message : payloadOf(message, 'raw()'));
  const stream = { decoder: () => new RawDecoder(), encode, symmetric: true as const };
  return withMessagesOf(Buffer, { ...stream, whole: datagrams(stream, datagram => datagram, encode) });
}
