import { Duplex } from 'node:stream';

/** A stream without another side: it keeps what is written, and takes it only when it is told to. */
export class FakeStream extends Duplex {
  /** Every write as it was handed over: the very memory, no copy. */
  readonly writes: Buffer[] = [];
  /** What those bytes were when they were taken. */
  readonly taken: Buffer[] = [];
  /** Calls of `write()`. */
  calls = 0;
  /** False: writes stay with the stream until `takeAll()`. */
  taking = true;
  #untaken: (() => void)[] = [];

  constructor() {
    super({ highWaterMark: 16 * 1024 });
  }

  override write(...args: unknown[]): boolean {
    this.calls++;
    return super.write(...(args as [unknown]));
  }

  override _read(): void {
    // Bytes are pushed by the test.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.writes.push(chunk);
    const take = (): void => {
      this.taken.push(Buffer.from(chunk));
      callback();
    };
    if (this.taking) take();
    else this.#untaken.push(take);
  }

  /** Takes what was written, as long as more follows. */
  takeAll(): void {
    this.taking = true;
    for (let taken = this.#untaken.shift(); taken !== undefined; taken = this.#untaken.shift()) taken();
  }
}
