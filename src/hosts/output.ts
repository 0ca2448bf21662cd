import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { guard } from '../guard.js';
import { clearTimeout, monotonicNow, setImmediate, setTimeout } from '../system-timers.js';

/** The most bytes of a line that are kept; the rest of it is dropped. */
export const MAX_LINE = 16 * 1024;
/** Lines given out in one go, and the pause after it in ms: a flooding worker gets about 20 000 lines a second, then it blocks in write(). */
const LINES_A_TURN = 100;
/** Bytes that count as a line: one that is longer, or has no end, takes as much of the turn as many short ones. */
const BYTES_A_LINE = 1024;
const BREATH = 5;
/** Milliseconds after which the rest of the lines waits for the next turn. */
const SLICE = 5;
/** Rest for each millisecond that lines have taken: all outputs together take a third of the master's time, whatever a line costs its logger. */
const REST = 2;
/** Bytes of log that all outputs together may make in a millisecond, in the long run; and what a line takes there besides its text. */
const LOGGED = 2 * 1024;
const A_LINE = 150;
/** Characters that a log of JSON writes as six. */
const ESCAPED = /\p{Cc}/gu;
/** Raw bytes kept for {@link OutputReader.tail}. V8's last words (heap statistics, native stack) take about 4 KB. */
const TAIL = 16 * 1024;
/** Bytes that may wait in memory once the worker has ended: reading slowly would no longer slow its writer. */
const BACKLOG = 1024 * 1024;

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Milliseconds of processor time that this process has had: a machine that is busy with others makes no output wait longer. */
function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Bytes that a line takes in the log, about. */
export function bytesInLog(line: string): number {
  return A_LINE + line.length + 5 * (line.match(ESCAPED)?.length ?? 0);
}

/** Milliseconds of rest behind lines that took so much processor time, in ms, and made so many bytes of log. */
export function restAfter(spent: number, logged: number): number {
  return Math.max(spent * REST, logged / LOGGED);
}

/** When the rest that all outputs owe is over. */
let restedAt = 0;

/**
 * Turns the stdout or stderr of a worker into lines, without its flood becoming the master's:
 * after {@link LINES_A_TURN} lines the pipe is not read for a moment, so its writer has to wait.
 */
export class OutputReader {
  readonly #source: Readable;
  readonly #emit: (line: string) => void;
  readonly #ended: () => void;
  /** Chunks not yet cut into lines. */
  #backlog: Buffer[] = [];
  #backlogBytes = 0;
  /** The line that has no end yet, at most {@link MAX_LINE} bytes of it. */
  #partial: Buffer[] = [];
  #partialBytes = 0;
  #bytes = 0;
  #tail: Buffer[] = [];
  #tailBytes = 0;
  #breathing = false;
  /** Milliseconds of processor time that lines have taken since the last pause. */
  #spent = 0;
  /** Bytes of log that they have made since then. */
  #logged = 0;
  #pause: NodeJS.Timeout | undefined;
  /** Lines that may still be given out before the next pause. */
  #budget = LINES_A_TURN;
  #hurrying = false;
  #over = false;

  constructor(source: Readable, emit: (line: string) => void, ended: () => void) {
    this.#source = source;
    this.#emit = emit;
    this.#ended = ended;
    source.on(
      'data',
      guard(source, (chunk: Buffer) => this.#take(chunk)),
    );
    source.on('error', () => {});
    source.once(
      'close',
      guard(source, () => this.#end()),
    );
    source.once(
      'end',
      guard(source, () => this.#end()),
    );
  }

  /** No pause any more: the writer is dead, what it left is read as fast as it comes. */
  hurry(): void {
    this.#hurrying = true;
    if (!this.#over) this.#source.resume();
    if (this.#pause !== undefined) {
      clearTimeout(this.#pause);
      this.#goOn();
    } else if (!this.#breathing) this.#drain();
  }

  /** Reads at the normal pace again: a process that inherited the pipe and still writes waits as the worker did. */
  calm(): void {
    this.#hurrying = false;
  }

  /** Bytes that came so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The source is not read at this moment: more may lie in it. */
  get waits(): boolean {
    return !this.#over && this.#source.isPaused();
  }

  /** The last bytes that came, whether given out as lines yet or not. */
  tail(): string {
    return Buffer.concat(this.#tail).subarray(-TAIL).toString('utf8');
  }

  #take(chunk: Buffer): void {
    this.#bytes += chunk.length;
    this.#remember(chunk);
    this.#backlog.push(chunk);
    this.#backlogBytes += chunk.length;
    if (!this.#breathing) this.#drain();
    else if (!this.#hurrying || this.#backlogBytes > BACKLOG) this.#source.pause();
  }

  #remember(chunk: Buffer): void {
    // A large chunk is copied, so that 64 KB of slab do not stay for 16 KB of text.
    const kept = chunk.length > TAIL ? Buffer.from(chunk.subarray(-TAIL)) : chunk;
    this.#tail.push(kept);
    this.#tailBytes += kept.length;
    while (this.#tailBytes - this.#tail[0]!.length >= TAIL) this.#tailBytes -= this.#tail.shift()!.length;
  }

  #drain(): void {
    const began = monotonicNow();
    const spentBefore = processorTime();
    for (let now = began; this.#budget > 0 && now - began < SLICE; now = monotonicNow()) {
      const chunk = this.#backlog[0];
      if (!chunk) break;
      const end = chunk.indexOf(NEWLINE);
      this.#hold(end === -1 ? chunk : chunk.subarray(0, end));
      const used = end === -1 ? chunk.length : end + 1;
      this.#backlogBytes -= used;
      if (used === chunk.length) this.#backlog.shift();
      else this.#backlog[0] = chunk.subarray(used);
      this.#budget -= Math.ceil(used / BYTES_A_LINE);
      if (end !== -1) this.#flush();
    }
    this.#spent += processorTime() - spentBefore;
    // Also where nothing waits at this moment: what comes in small pieces is no less of a flood.
    if (this.#budget <= 0 ? !(this.#over && this.#backlog.length === 0) : this.#backlog.length > 0) return this.#breathe();
    if (this.#over) {
      if (this.#partialBytes > 0) this.#flush();
    } else if (this.#source.isPaused()) this.#source.resume();
  }

  /** Goes on a little later: the writer, if it lives, waits as long. */
  #breathe(): void {
    this.#breathing = true;
    const now = monotonicNow();
    restedAt = Math.max(restedAt, now) + restAfter(this.#spent, this.#logged);
    this.#spent = this.#logged = 0;
    if (this.#hurrying) setImmediate(() => this.#goOn()).unref();
    else {
      this.#source.pause();
      this.#pause = setTimeout(() => this.#goOn(), Math.max(BREATH, restedAt - now)).unref();
    }
  }

  #goOn(): void {
    this.#pause = undefined;
    this.#breathing = false;
    this.#budget = LINES_A_TURN;
    this.#drain();
  }

  #hold(bytes: Buffer): void {
    const room = MAX_LINE - this.#partialBytes;
    if (room <= 0 || bytes.length === 0) return;
    const kept = bytes.length > room ? bytes.subarray(0, room) : bytes;
    this.#partial.push(kept);
    this.#partialBytes += kept.length;
  }

  #flush(): void {
    const whole = this.#partial.length === 1 ? this.#partial[0]! : Buffer.concat(this.#partial);
    this.#partial = [];
    this.#partialBytes = 0;
    const line = whole.at(-1) === CARRIAGE_RETURN ? whole.subarray(0, -1) : whole;
    // StringDecoder leaves out a character that the cut at 16 KB has split.
    const text = line.length < MAX_LINE ? line.toString('utf8') : new StringDecoder('utf8').write(line);
    this.#logged += bytesInLog(text);
    this.#emit(text);
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    if (!this.#breathing) this.#drain();
    this.#ended();
  }
}
