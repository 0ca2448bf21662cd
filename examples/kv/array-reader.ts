import { type ByteQueue, FramingError } from 'packet-ts/framing';
import { header } from './header.js';

/** Besides its bytes each argument costs an object: many empty ones must not be free. */
const OVERHEAD = 64;

/** Reads `*2\r\n$3\r\nGET\r\n$1\r\nk\r\n` piece by piece. Nothing is taken out of the queue before the command is whole. */
export class ArrayReader {
  /** Of the command that is arriving: how far it has been read, what it weighs, how many arguments are missing, and where the others lie. */
  #at = 0;
  #weight = 0;
  #left = 0;
  #spans: { readonly start: number; readonly length: number }[] = [];

  /** The next command; an empty one is possible. Undefined: more bytes are needed. Throws FramingError beyond the limit. */
  next(queue: ByteQueue, limit: number): Buffer[] | undefined {
    while (this.#at === 0 || this.#left > 0) {
      const isFirst = this.#at === 0;
      const found = header(queue, isFirst ? '*' : '$', this.#at);
      if (!found) return undefined;
      const { number, end } = found;
      const weight = this.#weight + (isFirst ? number * OVERHEAD : number);
      if (weight > limit) throw new FramingError(`a command of ${weight} bytes`, { code: 'ERR_PACKET_FRAMING_TOO_LARGE' });
      if (!isFirst && !queue.has(end + number + 2)) return undefined;
      this.#weight = weight;
      this.#left = isFirst ? number : this.#left - 1;
      this.#at = isFirst ? end : end + number + 2;
      if (!isFirst) this.#spans.push({ start: end, length: number });
    }
    let taken = 0;
    const command = this.#spans.map(({ start, length }) => {
      queue.skip(start - taken);
      taken = start + length;
      return queue.take(length);
    });
    queue.skip(this.#at - taken);
    [this.#at, this.#weight, this.#spans] = [0, 0, []];
    return command;
  }
}
