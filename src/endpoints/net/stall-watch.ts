/** A connection whose peer's progress can be measured. */
export interface ProgressSource {
  /** Bytes that the system took: they grow in steps of up to some megabytes while the peer reads. */
  readonly bytesWritten: number;
  /**
   * Bytes that the system holds for the peer; undefined where it does not tell. Left out: `bytesWritten` shows every step. Never rejects.
   * @param maxAge milliseconds that the system may have been asked before.
   */
  unacknowledged?(maxAge: number): Promise<number | undefined>;
}

/** The timer of a watch. */
export interface StallTimer {
  /** Calls `expired()` of the watch after `delay` ms, in place of what was set before; Infinity switches it off. */
  set(delay: number): void;
}

/** Part of the limit after which the send queue is measured for the first time; a measure may be as old, and no older than the limit's start. */
const FIRST_LOOK = 0.1;
/** Limits without a step that pass before a peer counts as stalled where the system does not show its progress. */
const BLIND_LIMITS = 3;

/**
 * Tells that a peer has taken nothing for a time limit. Progress is what the peer has acknowledged, not only what the system took: at
 * 20 KB/s its buffers of some megabytes have room again only after minutes.
 */
export class StallWatch {
  readonly #source: ProgressSource;
  readonly #timer: StallTimer;
  readonly #limit: () => number;
  readonly #onStalled: () => void;
  #taken = 0;
  /** The first measure of the send queue, to which later ones are compared. */
  #held: Promise<number | undefined> | undefined;
  #blind = 0;
  /** Counts restarts: a measure that was asked for before one does not count. */
  #round = 0;

  /** @param limit is asked for at each start, in milliseconds; Infinity is off. */
  constructor(source: ProgressSource, timer: StallTimer, limit: () => number, onStalled: () => void) {
    this.#source = source;
    this.#timer = timer;
    this.#limit = limit;
    this.#onStalled = onStalled;
  }

  /** Starts the limit, or starts it anew after progress. */
  start(): void {
    this.#round++;
    this.#taken = this.#source.bytesWritten;
    this.#held = undefined;
    this.#blind = 0;
    const limit = this.#limit();
    this.#timer.set(this.#source.unacknowledged ? limit * FIRST_LOOK : limit);
  }

  stop(): void {
    this.#round++;
    this.#timer.set(Infinity);
  }

  /** The timer has expired. */
  onExpired(): void {
    const source = this.#source;
    if (source.bytesWritten > this.#taken) this.start();
    else if (!source.unacknowledged) this.#onStalled();
    else if (this.#held) void this.#judge(this.#held, this.#round);
    else {
      this.#held = this.#measure();
      this.#timer.set(this.#limit() * (1 - FIRST_LOOK));
    }
  }

  #measure(): Promise<number | undefined> {
    return this.#source.unacknowledged!(this.#limit() * FIRST_LOOK);
  }

  async #judge(held: Promise<number | undefined>, round: number): Promise<void> {
    const [before, now] = await Promise.all([held, this.#measure()]);
    if (round !== this.#round) return;
    if (this.#source.bytesWritten > this.#taken) {
      this.start();
      return;
    }
    const progressed = before !== undefined && now !== undefined && now < before;
    const isBlind = before === undefined || now === undefined;
    if (!progressed && (!isBlind || ++this.#blind >= BLIND_LIMITS)) {
      this.#onStalled();
      return;
    }
    this.#held = Promise.resolve(now);
    this.#timer.set(this.#limit());
  }
}
