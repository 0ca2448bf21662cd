import { Buffer } from 'node:buffer';
import type { Encoded } from '../link/types.js';

/** From this size on memory that was used before is worth having: fresh memory costs eight times what copying into it does. */
export const REUSABLE = 1024 * 1024;
/** Sizes of such memory: the next value is mostly about as large, and not to the byte. */
const STEP = 64 * 1024;

/** Memory of a large value that is not needed any more, for the next one; kept no longer than the collector leaves it. */
export class SpareMemory {
  #memory: WeakRef<ArrayBufferLike> | undefined;

  /** Takes back an encoding that is not needed any more. */
  give(encoded: Encoded): void {
    if (encoded.length >= REUSABLE) this.#memory = new WeakRef(encoded.buffer);
  }

  /** A buffer of at least `size` bytes, used or new. */
  take(size: number): Buffer {
    const memory = size >= REUSABLE ? this.#memory?.deref() : undefined;
    // Memory much larger than the value is not used: keeping the value would keep all of it.
    if (memory === undefined || memory.byteLength < size || memory.byteLength > size * 2) {
      return Buffer.allocUnsafeSlow(size >= REUSABLE ? Math.ceil(size / STEP) * STEP : size);
    }
    this.#memory = undefined;
    return Buffer.from(memory);
  }
}
