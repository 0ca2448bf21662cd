import type { Writable } from 'node:stream';
import { guard } from '../../guard.js';
import { bytesCounted, bytesTaken } from '../../node-internals.js';
import type { Chunk } from '../../framing/framing.js';

/** The writing half of a transport whose two directions are streams of their own: a command's stdin, this process's stdout. */
export class PipeWriter {
  readonly #stream: Writable;
  readonly #room: () => void;
  /** Bytes handed to the stream. */
  #said = 0;
  /** Bytes that libuv had counted before: others write to stdout, too. */
  readonly #before: number;
  readonly #wrote: () => void;
  /** `write` returned false, and news are waited for. */
  #waited = false;

  /** `room` is called when the system took some of what was written, after `write` had returned false. */
  constructor(stream: Writable, room: () => void) {
    this.#stream = stream;
    this.#room = room;
    this.#before = bytesCounted(this.#stream) ?? 0;
    this.#wrote = guard(stream, () => {
      if (!this.#waited) return;
      if (this.bufferedBytes === 0) this.#waited = false;
      this.#room();
    });
    stream.once('close', this.#wrote);
  }

  get bufferedBytes(): number {
    return this.#stream.destroyed ? 0 : this.#stream.writableLength;
  }

  /** Bytes that the system took. */
  get bytesWritten(): number {
    const taken = bytesTaken(this.#stream);
    return taken === undefined ? this.#said - this.bufferedBytes : taken - this.#before;
  }

  write(chunks: readonly Chunk[]): boolean {
    const stream = this.#stream;
    if (!stream.writable) return true;
    const last = chunks.length - 1;
    stream.cork();
    for (const [at, chunk] of chunks.entries()) {
      this.#said += Buffer.byteLength(chunk);
      if (at < last) stream.write(chunk);
      else stream.write(chunk, this.#wrote);
    }
    stream.uncork();
    if (stream.writableLength === 0) return true;
    this.#waited = true;
    return false;
  }

  /** Stops the callbacks. */
  close(): void {
    this.#waited = false;
  }
}
