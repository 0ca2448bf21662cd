/** Milliseconds between two looks at all links. */
export const BEAT = 200;
/** Beats between two pings while a link is at rest. */
const IDLE_EVERY = 10;
/** Messages in a row that found no receiver, after which the other side is gone: it has no connection, and made none meanwhile. */
const GONE_AFTER = 4;
/** Beats after an interruption of our own in which "no receiver" means nothing: the other side may be on its way back, too. */
const GRACE = 50;

/** Verdict of one beat: nothing to do, ask for a sign of life, no sign came for too long. */
export type Beat = 'rest' | 'ping' | 'silent';

/**
 * Whether the other side of one link still lives, counted in beats and not in time: while this process itself stands still there are none.
 * Pure: no timer, no message.
 */
export class Liveness {
  readonly #silentAfter: number;
  #beats = 0;
  #isHeard = true;
  /** Beats in a row without a word while one was due. */
  #silent = 0;
  /** Messages since the last word that found no receiver. */
  #unreceived = 0;
  #grace = 0;

  /** @param silentAfter beats without a word, while calls are under way, after which the other side is given up */
  constructor(silentAfter: number) {
    this.#silentAfter = silentAfter;
  }

  /** Something came. */
  onHeard(): void {
    this.#isHeard = true;
    this.#silent = this.#unreceived = 0;
  }

  /** A ping found no receiver. True when it is the last one that was needed: the other side is gone. */
  onNoReceiver(): boolean {
    return ++this.#unreceived >= GONE_AFTER && this.#grace === 0;
  }

  /** The mesh could not be reached, and can again. */
  onResumed(): void {
    this.#grace = GRACE;
    this.#silent = this.#unreceived = 0;
  }

  /** @param isActive calls are under way, or bytes are not confirmed */
  beat(isActive: boolean): Beat {
    this.#beats++;
    if (this.#grace > 0) this.#grace--;
    if (this.#isHeard) {
      this.#isHeard = false;
      return 'rest';
    }
    const isDue = isActive || this.#silent > 0 || this.#beats % IDLE_EVERY === 0;
    if (!isDue) return 'rest';
    return ++this.#silent > this.#silentAfter ? 'silent' : 'ping';
  }
}
