import { monotonicNow } from '../../system-timers.js';
import type { DelimiterPattern } from './delimiter-pattern.js';
import { QueuedDecoder } from './queued-decoder.js';
import { tooLarge } from '../failures.js';

/** Bytes that become text at a time. */
const WINDOW = 4096;
/** Milliseconds that a search may take before other connections get their turn. */
const SLICE = 5;

interface Found {
  readonly start: number;
  readonly end: number;
}

/**
 * Cuts bytes at the matches of a pattern. The bytes are searched as text in a window that moves on, each of them once and the last
 * `longest - 1` again when more come, because a match may begin there.
 */
export class PatternDecoder extends QueuedDecoder<Buffer> {
  readonly #pattern: DelimiterPattern;
  readonly #limit: number;
  /** The window; a character a byte. */
  #text = '';
  /** Where in the queue the window begins; negative when its first bytes have been given out. */
  #textAt = 0;
  /** Where in the window no delimiter has been looked for yet. */
  #from = 0;
  /** The delimiter that was given out last, when no byte had come behind it: the next bytes may prolong it. */
  #open = '';
  /** The match that `search` has found, until it is given out or more bytes come. */
  #found: Found | undefined;

  constructor(pattern: DelimiterPattern, limit: number) {
    super();
    this.#pattern = pattern;
    this.#limit = limit;
  }

  override push(chunk: Buffer): void {
    this.#found = undefined;
    super.push(chunk);
  }

  next(): Buffer | undefined {
    if (this.queue.length === 0) return undefined;
    if (this.#open !== '') this.#prolong();
    const found = this.#found ?? this.#look(false);
    this.#found = undefined;
    return typeof found === 'object' ? this.#give(found) : undefined;
  }

  search(): boolean {
    if (this.queue.length === 0 || this.#found) return true;
    if (this.#open !== '') this.#prolong();
    const found = this.#look(true);
    if (typeof found === 'object') this.#found = found;
    return found !== 'unfinished';
  }

  /** Moves the window on until it has a delimiter or the bytes are used up; `yields`: or it has taken its slice of the turn. */
  #look(yields: boolean): Found | 'unfinished' | undefined {
    const queue = this.queue;
    let started = 0;
    for (;;) {
      const found = this.#pattern.first(this.#text, this.#from);
      const seen = this.#textAt + this.#text.length;
      if (found !== undefined && (found.end < this.#text.length || seen === queue.length)) return found;
      const keep = found?.start ?? Math.max(this.#from, this.#text.length - this.#pattern.longest + 1);
      this.#textAt += keep;
      this.#from = 0;
      if (this.#textAt > this.#limit) throw tooLarge('a message', this.#limit);
      if (seen === queue.length) {
        this.#text = this.#text.slice(keep);
        queue.settle();
        return undefined;
      }
      this.#text = this.#text.slice(keep);
      if (yields) {
        const now = monotonicNow();
        if (started === 0) started = now;
        else if (now - started > SLICE) return 'unfinished';
      }
      this.#text += queue.piece(seen).toString('latin1', 0, WINDOW);
    }
  }

  end(): Buffer | undefined {
    if (this.queue.length > this.#limit) throw tooLarge('a message', this.#limit);
    return this.queue.length > 0 ? this.queue.drain() : undefined;
  }

  #give(delimiter: Found): Buffer {
    const queue = this.queue;
    const length = this.#textAt + delimiter.start;
    if (length > this.#limit) throw tooLarge('a message', this.#limit);
    const message = queue.take(length);
    queue.skip(delimiter.end - delimiter.start);
    if (queue.length === 0) {
      this.#open = delimiter.end - delimiter.start < this.#pattern.longest ? this.#text.slice(delimiter.start, delimiter.end) : '';
      this.#text = '';
      this.#textAt = this.#from = 0;
    } else {
      this.#textAt = -delimiter.end;
      this.#from = delimiter.end;
    }
    return message;
  }

  /**
   * Extends a match that was given out as soon as it was complete ('\r') but began a longer one ('\r\n'): the continuation is no message.
   */
  #prolong(): void {
    const queue = this.queue;
    const known = this.#open.length;
    let text = this.#open;
    for (let i = 0; i < queue.length && text.length < this.#pattern.longest; i++) text += String.fromCharCode(queue.at(i));
    const length = this.#pattern.atStart(text);
    if (length > known) queue.skip(length - known);
    this.#open = length === text.length && length < this.#pattern.longest && queue.length === 0 ? text : '';
  }
}
