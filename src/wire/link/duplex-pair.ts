import { Buffer } from 'node:buffer';
import { Duplex } from 'node:stream';
import { emptyContext } from '../../async-context.js';
import { setImmediate } from '../../system-timers.js';

/**
 * Two streams, each of which reads what the other one writes: a socketpair inside one process, for inline workers and tests.
 * Bytes are copied and arrive in a later turn of the event loop, so that neither timers nor sockets starve behind a conversation.
 * @example const [ours, theirs] = duplexPair()
 */
export function duplexPair(): [Duplex, Duplex] {
  const left = new End();
  const right = new End();
  left.other = right;
  right.other = left;
  return [left, right];
}

type Callback = (error?: Error | null) => void;

class End extends Duplex {
  other!: End;
  /** The other side's write, answered once there is room for more here. */
  #pending: Callback | undefined;
  readonly #context = emptyContext();
  /** Things that the other side has sent beside its bytes, by number. Both live in one heap: they are passed as they are. */
  readonly #lists = new Map<number, readonly unknown[]>();
  #attached = 0;

  constructor() {
    super({ allowHalfOpen: true });
  }

  attach(list: readonly unknown[]): number {
    this.other.#lists.set(++this.#attached, list);
    return this.#attached;
  }

  attached(number: number): readonly unknown[] | undefined {
    const list = this.#lists.get(number);
    this.#lists.delete(number);
    return list;
  }

  override _read(): void {
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    const copy = Buffer.from(chunk);
    this.#later(() => this.other.#deliver(copy, callback));
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], callback: Callback): void {
    const joined = Buffer.concat(chunks.map(({ chunk }) => chunk));
    this.#later(() => this.other.#deliver(joined, callback));
  }

  override _final(callback: Callback): void {
    this.#later(() => {
      if (!this.other.destroyed) this.other.push(null);
      callback();
    });
  }

  override _destroy(error: Error | null, callback: Callback): void {
    // Ends like a socket whose process died: the other side reads an end, and writes that wait for room here are dropped.
    const pending = this.#pending;
    this.#pending = undefined;
    this.#later(() => {
      pending?.(brokenPipe());
      if (!this.other.destroyed && !this.other.readableEnded && !this.writableFinished) this.other.push(null);
    });
    callback(error);
  }

  /** Runs in an empty async context, as bytes from another process would arrive: nothing of the writer's context is kept. */
  #later(run: () => void): void {
    setImmediate(() => this.#context.runInAsyncScope(run));
  }

  #deliver(bytes: Buffer, written: Callback): void {
    if (this.destroyed) return written(brokenPipe());
    if (this.push(bytes)) written();
    else this.#pending = written;
  }
}

function brokenPipe(): Error {
  return Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write' });
}
