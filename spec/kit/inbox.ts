import { soon, type WaitOptions } from './wait-for.js';

/** Bytes that arrive, read as a test reads: by line, by count, to the end. */
export class Inbox {
  /** Joined when somebody looks. */
  #parts: Buffer[] = [];
  #length = 0;
  #all: Buffer[] = [];
  #ended = false;
  #wake: (() => void)[] = [];

  push(chunk: Buffer): void {
    this.#parts.push(chunk);
    this.#length += chunk.length;
    this.#all.push(chunk);
    this.#notify();
  }

  end(): void {
    this.#ended = true;
    this.#notify();
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Everything that has arrived so far, read or not. */
  get text(): string {
    return Buffer.concat(this.#all).toString();
  }

  /** The next line, without its end; the last may have none. Rejects when the stream ends before. */
  line(options: WaitOptions = {}): Promise<string> {
    return this.#take(
      () => {
        const at = this.#unread.indexOf(10);
        if (at >= 0)
          return this.#cut(at + 1)
            .toString()
            .replace(/\r?\n$/, '');
        return this.#ended && this.#length > 0 ? this.#cut(this.#length).toString() : undefined;
      },
      'a line',
      options,
    );
  }

  /** Skips lines until one fits. */
  async lineLike(pattern: RegExp | string, options: WaitOptions = {}): Promise<string> {
    for (;;) {
      const line = await this.line({ what: `a line like ${String(pattern)}`, ...options });
      if (typeof pattern === 'string' ? line.includes(pattern) : pattern.test(line)) return line;
    }
  }

  /** Exactly `count` bytes. */
  bytes(count: number, options: WaitOptions = {}): Promise<Buffer> {
    return this.#take(() => (this.#length >= count ? this.#cut(count) : undefined), `${count} bytes`, options);
  }

  /** What has not been read, once the stream has ended. */
  rest(options: WaitOptions = {}): Promise<Buffer> {
    return this.#take(() => (this.#ended ? this.#cut(this.#length) : undefined), 'the end of the stream', options);
  }

  get #unread(): Buffer {
    if (this.#parts.length !== 1) this.#parts = [Buffer.concat(this.#parts)];
    return this.#parts[0]!;
  }

  #cut(count: number): Buffer {
    const unread = this.#unread;
    this.#parts = [unread.subarray(count)];
    this.#length -= count;
    return unread.subarray(0, count);
  }

  #notify(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }

  async #take<T>(look: () => T | undefined, name: string, options: WaitOptions): Promise<T> {
    const search = async (): Promise<T> => {
      for (;;) {
        const found = look();
        if (found !== undefined) return found;
        if (this.#ended) throw new Error(`the stream ended before ${name}; unread: ${JSON.stringify(this.#unread.toString())}`);
        await new Promise<void>(resolve => this.#wake.push(resolve));
      }
    };
    const what = (): string => `${name}; all that came: ${JSON.stringify(this.text.slice(-2000))}`;
    return soon(search(), { within: '5s', what, ...options });
  }
}
