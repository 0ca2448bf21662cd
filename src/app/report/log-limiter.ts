import { realClock, type Clock, type ClockTimer } from '../../clock.js';
import { OutputLimiter } from '../../workers/process/log-limiter.js';

/** Lines of one kind at once, and then a second. */
const BURST = 10;
const PER_SECOND = 1;
/** When lines that were left out are told of, if no other of their kind comes before. Milliseconds. */
const SUMMARY = 10_000;
/** Kinds that are told apart; those beyond share one. */
const MOST_KINDS = 1_000;

/** Tells of `count` lines of a kind that were left out. */
type Summarize = (count: number) => void;

interface Kind {
  readonly quota: OutputLimiter;
  /** The latest one: it knows best what they are about. */
  summarize: Summarize | undefined;
}

/** Bounds how often one kind of event is logged: ten at once, then one a second. The others are counted, and the count is logged. */
export class LogLimiter {
  readonly #clock: Clock;
  readonly #kinds = new Map<string, Kind>();
  #timer: ClockTimer | undefined;

  constructor(clock: Clock = realClock) {
    this.#clock = clock;
  }

  /** How many of that kind were left out before this one, which may be logged. Undefined: this one is left out. */
  take(kind: string, summarize: Summarize): number | undefined {
    const known = this.#kindOf(kind);
    const untold = known.quota.take(this.#clock.now());
    if (untold !== undefined) return untold;
    known.summarize = summarize;
    // The timer does not keep the process alive.
    this.#timer ??= this.#clock.after(SUMMARY, () => this.#summarize(), false);
    return undefined;
  }

  /** Tells of everything that was left out. */
  close(): void {
    this.#timer?.cancel();
    this.#summarize();
  }

  #kindOf(name: string): Kind {
    const key = this.#kinds.has(name) || this.#kinds.size < MOST_KINDS ? name : '';
    let kind = this.#kinds.get(key);
    if (!kind) this.#kinds.set(key, (kind = { quota: new OutputLimiter(BURST, PER_SECOND), summarize: undefined }));
    return kind;
  }

  #summarize(): void {
    this.#timer = undefined;
    for (const { quota, summarize } of this.#kinds.values()) {
      const untold = quota.untold();
      if (untold > 0) summarize?.(untold);
    }
  }
}
