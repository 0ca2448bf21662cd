import { Buffer } from 'node:buffer';

/** Chunks that wait to be sent, oldest first, cut as they leave. */
export class UnsentBytes {
  #chunks: Buffer[] = [];
  /** Index of the oldest: removing from the front of an array would move all others. */
  #first = 0;
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  add(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
  }

  /** The oldest bytes, at most so many; they are gone from here. */
  take(most: number): Buffer {
    const parts: Buffer[] = [];
    let size = 0;
    while (size < most && this.#bytes > size) {
      const chunk = this.#chunks[this.#first]!;
      const part = chunk.subarray(0, most - size);
      parts.push(part);
      size += part.length;
      if (part.length < chunk.length) this.#chunks[this.#first] = chunk.subarray(part.length);
      else this.#first++;
    }
    this.#bytes -= size;
    if (this.#bytes === 0) this.clear();
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts, size);
  }

  clear(): void {
    this.#chunks = [];
    this.#first = this.#bytes = 0;
  }
}
