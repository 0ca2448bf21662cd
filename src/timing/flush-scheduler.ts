import type { AsyncContext } from '../async-context.js';
import { nextTick, setImmediate } from '../system-timers.js';

/** Something to be done once at the end of this turn of the event loop. */
export interface Flushable {
  flush(): void;
}

/** Somebody who used up its share of this turn. */
export interface Resumable {
  /** Its own: whoever asked first for the next turn is somebody else. */
  readonly context: AsyncContext;
  proceed(): void;
}

/**
 * The end of a turn and the beginning of the next, shared by all sessions of a reactor:
 * what they sent in one turn leaves in one write each, and who has more work than a turn's share stands in line for the next.
 */
export class FlushScheduler {
  #unsent: Flushable[] = [];
  #waiting: Resumable[] = [];

  /** At the end of this turn, when every promise that could settle has. Ask once. */
  flushLater(who: Flushable): void {
    // From a microtask, a tick comes after all microtasks: what they send joins this write.
    if (this.#unsent.push(who) === 1) nextTick(this.#flush);
  }

  /** In the next turn, after the other connections had theirs. Ask once. */
  proceedLater(who: Resumable): void {
    if (this.#waiting.push(who) === 1) setImmediate(this.#proceed);
  }

  readonly #flush = (): void => {
    const unsent = this.#unsent;
    this.#unsent = [];
    for (const who of unsent) who.flush();
  };

  readonly #proceed = (): void => {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const who of waiting) who.context.runInAsyncScope(who.proceed, who);
  };
}
