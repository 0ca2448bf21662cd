/**
 * The floor: a socketpair to a child, and messages of a length, a kind and bytes; one at a time, put together by copying once.
 * Kinds: 0 takes bytes and answers their number, 1 takes a number and gives so many bytes, 2 and 3 the same with rows as JSON.
 */
import type { Duplex } from 'node:stream';

const HEAD = 5;

export class Messages {
  readonly #stream: Duplex;
  readonly #taken: (kind: number, body: Buffer) => void;
  readonly #head = Buffer.alloc(HEAD);
  #headLength = 0;
  #body: Buffer | undefined;
  #length = 0;

  constructor(stream: Duplex, taken: (kind: number, body: Buffer) => void) {
    this.#stream = stream;
    this.#taken = taken;
    stream.on('data', (chunk: Buffer) => this.#read(chunk));
    stream.on('error', () => {});
  }

  send(kind: number, body: Uint8Array): void {
    const head = Buffer.alloc(HEAD);
    head.writeUInt32LE(body.length, 0);
    head[4] = kind;
    this.#stream.cork();
    this.#stream.write(head);
    this.#stream.write(body);
    this.#stream.uncork();
  }

  #read(chunk: Buffer): void {
    for (let pos = 0; pos < chunk.length;) {
      if (!this.#body) {
        const copied = chunk.copy(this.#head, this.#headLength, pos, pos + HEAD - this.#headLength);
        pos += copied;
        this.#headLength += copied;
        if (this.#headLength < HEAD) return;
        this.#headLength = this.#length = 0;
        this.#body = Buffer.allocUnsafeSlow(this.#head.readUInt32LE(0));
      }
      const copied = chunk.copy(this.#body, this.#length, pos);
      pos += copied;
      this.#length += copied;
      if (this.#length < this.#body.length) return;
      const body = this.#body;
      this.#body = undefined;
      this.#taken(this.#head[4]!, body);
    }
  }
}

/** A number as a message. */
export function numbered(value: number): Buffer {
  const body = Buffer.alloc(4);
  body.writeUInt32LE(value, 0);
  return body;
}
