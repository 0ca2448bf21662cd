import { writeSync } from 'node:fs';
import { realClock, type Clock, type ClockTimer } from '../clock.js';

/** Bytes that may wait for a slow reader or a full disk. Lines beyond are dropped and counted. */
const LIMIT = 1024 * 1024;
/** Pause before the next try after a refused write: doubled from the first to the second while nothing is taken. Milliseconds. */
const RETRY = { first: 5, last: 250 } as const;
/** How long {@link LogWriter.flush} sleeps between two tries. Milliseconds. */
const NAP = 5;

/** Dependencies of a {@link LogWriter}; tests bring their own. */
export interface LogWriterParts {
  /** Writes some of the bytes and returns how many. Throws when it cannot write any. Never waits. */
  readonly put: (bytes: Uint8Array) => number;
  /** The line that says how many lines were dropped, and why: the system's code of the last refusal. */
  readonly notice: (dropped: number, code: string) => string;
  readonly clock?: Clock | undefined;
  /** Bytes. */
  readonly limit?: number | undefined;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
}

/**
 * Writes lines to a descriptor without waiting for it: what it does not take is kept, up to 1 MB, and tried again; lines beyond are
 * dropped, and one line says how many. Nothing that the descriptor does is anybody's exception.
 */
export class LogWriter {
  readonly #parts: LogWriterParts;
  readonly #clock: Clock;
  readonly #limit: number;
  /** Lines that were not taken yet; the first may be a part of one. */
  readonly #waiting: Uint8Array[] = [];
  #bytes = 0;
  #dropped = 0;
  #code = '';
  #delay: number = RETRY.first;
  #retry: ClockTimer | undefined;

  constructor(parts: LogWriterParts) {
    this.#parts = parts;
    this.#clock = parts.clock ?? realClock;
    this.#limit = parts.limit ?? LIMIT;
  }

  /** Lines that were dropped and not told of yet. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Bytes that wait. */
  get waiting(): number {
    return this.#bytes;
  }

  /** Takes a line with its line break. Never throws. */
  write(line: string): void {
    const bytes = Buffer.from(line);
    if (this.#waiting.length === 0) {
      this.#keep(bytes);
      this.#advance();
      this.#later();
    } else if (this.#bytes + bytes.length > this.#limit) {
      this.#dropped++;
    } else {
      this.#tellDropped();
      this.#keep(bytes);
    }
  }

  /**
   * Waits for the descriptor to take what is left, at most `within` ms, and blocks the process meanwhile: for its very end.
   * True: everything was taken.
   */
  flush(within: number): boolean {
    const end = this.#clock.now() + within;
    const nap = new Int32Array(new SharedArrayBuffer(4));
    while (!this.#advance() && this.#code === 'EAGAIN' && this.#clock.now() < end) Atomics.wait(nap, 0, 0, NAP);
    return this.#waiting.length === 0;
  }

  #keep(bytes: Uint8Array): void {
    this.#waiting.push(bytes);
    this.#bytes += bytes.length;
  }

  /** The place of the dropped lines is behind those that waited. */
  #tellDropped(): void {
    if (this.#dropped === 0) return;
    this.#keep(Buffer.from(this.#parts.notice(this.#dropped, this.#code)));
    this.#dropped = 0;
  }

  /** Writes until the descriptor refuses. True: nothing waits. */
  #advance(): boolean {
    for (;;) {
      const first = this.#waiting[0];
      if (first === undefined) {
        if (this.#dropped === 0) return true;
        this.#tellDropped();
        continue;
      }
      let written: number;
      try {
        written = this.#parts.put(first);
      } catch (error) {
        this.#code = codeOf(error);
        return false;
      }
      this.#bytes -= written;
      this.#delay = RETRY.first;
      if (written < first.length) this.#waiting[0] = first.subarray(written);
      else this.#waiting.shift();
    }
  }

  #later(): void {
    if (this.#waiting.length === 0 || this.#retry) return;
    // A log that waits does not keep the process running.
    this.#retry = this.#clock.after(
      this.#delay,
      () => {
        this.#retry = undefined;
        this.#delay = Math.min(RETRY.last, this.#delay * 2);
        this.#advance();
        this.#later();
      },
      false,
    );
  }
}

/** `put` for a descriptor that does not block. */
export function putInto(descriptor: number): LogWriterParts['put'] {
  return bytes => writeSync(descriptor, bytes);
}
