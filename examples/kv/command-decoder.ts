import { ByteQueue, type Decoder } from 'packet-ts/framing';
import { ArrayReader } from './array-reader.js';
import { typedLine } from './typed-line.js';

const STAR = 0x2a;

/** Commands as programs send them, or as people type them: `GET key`. */
export class CommandDecoder implements Decoder<Buffer[]> {
  readonly #queue = new ByteQueue();
  readonly #array = new ArrayReader();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  push(chunk: Buffer): void {
    this.#queue.push(chunk);
  }

  next(): Buffer[] | undefined {
    while (this.#queue.length > 0) {
      const isArray = this.#queue.at(0) === STAR;
      const command = isArray ? this.#array.next(this.#queue, this.#limit) : typedLine(this.#queue, this.#limit);
      // Undefined: it has not come whole. An empty command is none.
      if (command?.length !== 0) return command;
    }
    return undefined;
  }

  get pending(): number {
    return this.#queue.length;
  }

  rest(): Buffer {
    return this.#queue.drain();
  }
}
