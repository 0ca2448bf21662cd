import { ByteQueue } from './byte-queue.js';
import type { Decoder } from '../framing.js';

/** A decoder that keeps what it was given in a queue until a message is whole: all that is not given out is still in there. */
export abstract class QueuedDecoder<In> implements Decoder<In> {
  protected readonly queue = new ByteQueue();

  push(chunk: Buffer): void {
    this.queue.push(chunk);
  }

  abstract next(): In | undefined;

  abstract end(): In | undefined;

  get pending(): number {
    return this.queue.length;
  }

  rest(): Buffer {
    return this.queue.drain();
  }
}
