import { types } from 'node:util';
import { MessagePort } from 'node:worker_threads';
import { UsageError } from './errors.js';

/** Memory, or a view of all of it, or a port: what can be moved to another thread. */
export type Movable = ArrayBuffer | ArrayBufferView | MessagePort;

/** Memory that was given to `transfer()` and has not been sent yet. */
const moving = new WeakSet<object>();
/** How much was given to `transfer()`, sent or not: while nothing ever was, nothing is looked up. */
let marked = 0;

/**
 * Says that this memory is to be moved and not copied, where it is (in) the argument of a call, its result, an item or an event: afterwards
 * it is empty here. Between threads, and inline, nothing is copied then; to and from a process it is copied. It counts once, for the next
 * value that it is sent in. A view of only a part of its memory, as small Buffers are, is copied. Moved memory does not count for
 * `maxMessageSize`.
 * @throws UsageError for anything but an ArrayBuffer, a view of one, or a MessagePort.
 * @example const small = await resizer.resize({ image: transfer(image), width: 200 });
 */
export function transfer<T extends Movable>(memory: T): T {
  const buffer: unknown = ArrayBuffer.isView(memory) ? memory.buffer : memory;
  if (types.isArrayBuffer(buffer)) {
    moving.add(buffer);
    marked++;
  } else if (!(memory instanceof MessagePort))
    throw new UsageError(
      `transfer() takes an ArrayBuffer, a view of one, or a MessagePort${types.isSharedArrayBuffer(buffer) ? ': shared memory is not moved, pass it as it is' : ''}`,
    );
  return memory;
}

/** Whether this memory is to be moved. What was moved away since it was marked is not: there is nothing in it. */
export function isMoving(buffer: ArrayBufferLike): boolean {
  return marked > 0 && moving.has(buffer) && !isDetached(buffer);
}

/** Whether this memory was moved away: to another thread, or by `structuredClone()`. Node 20 has no `detached` to ask. */
export function isDetached(buffer: ArrayBufferLike): boolean {
  if (buffer.byteLength > 0) return false;
  try {
    void new Uint8Array(buffer);
    return false;
  } catch {
    return true;
  }
}

/** Forgets a buffer that was sent, moved or copied. */
export function hasMoved(buffer: ArrayBufferLike): void {
  if (marked > 0 && moving.delete(buffer)) marked--;
}
