import type { AsyncContext } from '../async-context.js';
import { nextTick, setImmediate } from '../system-timers.js';

/** Something to be done once at the end of this turn of the event loop. */
export interface Flushable {
  flush(): void;
}

/** A session that used up its share of this turn. */
export interface Resumable {
  /** The async context of this session: one callback runs all of them, in the context of whichever asked first. */
  readonly context: AsyncContext;
  proceed(): void;
}

/**
 * The end of a turn and the beginning of the next, shared by all sessions of a reactor:
 * messages sent in one turn leave in one write per session, and a session with more work than a turn's share waits for the next.
 */
export class FlushScheduler {
  #unsent: Flushable[] = [];
  #waiting: Resumable[] = [];

  /** At the end of this turn, when every promise that could settle has. Ask once. */
  flushLater(flushable: Flushable): void {
    // From a microtask, a tick comes after all microtasks: what they send joins this write.
    if (this.#unsent.push(flushable) === 1) nextTick(this.#flush);
  }

  /** In the next turn, after the other connections had theirs. Ask once. */
  proceedLater(session: Resumable): void {
    if (this.#waiting.push(session) === 1) setImmediate(this.#proceed);
  }

  readonly #flush = (): void => {
    const unsent = this.#unsent;
    this.#unsent = [];
    for (const flushable of unsent) flushable.flush();
  };

  readonly #proceed = (): void => {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const session of waiting) session.context.runInAsyncScope(session.proceed, session);
  };
}
