import process from 'node:process';
import type { Clock } from '../clock.js';
import { setImmediate } from '../system-timers.js';

/** Milliseconds that a process looks out for its next call before it sleeps. */
const WATCH = 0.05;
/** Milliseconds in which the next call has to come to a sleeping one for it to be worth it: to be woken takes a while. */
const SOON = 0.1;
/** The share of the last calls that came soon from which on it is, and by how much one call moves it. */
const ENOUGH = 0.75;
const WEIGHT = 1 / 32;
/** After so many times it is asked whether others wanted the processor; so many interruptions show it. */
const ROUND = 32;
const INTERRUPTIONS = 3;
/** Then it sleeps, for so many milliseconds at first, twice as long each time up to so many, and an eighth less after each round without. */
const LEAST_PAUSE = 4;
const MOST_PAUSE = 1000;
const EASING = 7 / 8;
/** Milliseconds for which a measurement counts. */
const STALE = 100;

/** How often the processor was taken from this process. */
export type Interruptions = () => number;

const interruptions: Interruptions = () => process.resourceUsage().involuntaryContextSwitches;

/**
 * Keeps a worker process awake for a moment when it has answered, where the next call mostly comes within that moment: a caller that makes
 * one call after the other would otherwise pay for a processor that falls asleep and is woken, more than for all else together.
 * A process that is called now and then does not do it, nor one whose processor others want.
 */
export class BusyPoll {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #interruptions: Interruptions;
  /** Share of the last calls that came soon. */
  #soon = 0;
  /** When there was nothing more to do; -1: there is. */
  #since = -1;
  /** The process was awake when this idle time began. */
  #watched = false;
  #looking = false;
  /** How often it watched since it last asked, and what it was told. */
  #times = 0;
  #interrupted = -1;
  #askedAt = 0;
  #asleepUntil = 0;
  #pause = LEAST_PAUSE;
  readonly #look = (): void => {
    this.#looking = this.#since >= 0 && this.#clock.now() - this.#since < WATCH;
    if (this.#looking) setImmediate(this.#look);
  };

  constructor(clock: Pick<Clock, 'now'>, asked: Interruptions = interruptions) {
    this.#clock = clock;
    this.#interruptions = asked;
  }

  /** Whether it waits for the next call awake. */
  get awake(): boolean {
    return this.#looking;
  }

  /** Nothing is left to do. */
  begin(now: number): void {
    this.#since = now;
    this.#watched = this.#soon >= ENOUGH && now >= this.#asleepUntil && this.#alone(now);
    if (!this.#watched || this.#looking) return;
    this.#looking = true;
    setImmediate(this.#look);
  }

  /** A call has come. */
  end(now: number): void {
    if (this.#since < 0) return;
    const soon = now - this.#since < (this.#watched ? WATCH : SOON);
    this.#soon += ((soon ? 1 : 0) - this.#soon) * WEIGHT;
    this.#since = -1;
  }

  /** Whether no other process wants this processor. */
  #alone(now: number): boolean {
    if (this.#times++ % ROUND > 0) return true;
    // Interruptions of long ago do not count, nor does a pause that was over long ago.
    const before = now - this.#askedAt < STALE ? this.#interrupted : -1;
    if (now - this.#asleepUntil > MOST_PAUSE) this.#pause = LEAST_PAUSE;
    this.#interrupted = this.#interruptions();
    this.#askedAt = now;
    if (before < 0) return true;
    if (this.#interrupted - before < INTERRUPTIONS) {
      this.#pause = Math.max(LEAST_PAUSE, this.#pause * EASING);
      return true;
    }
    this.#interrupted = -1;
    this.#times = 0;
    this.#asleepUntil = now + this.#pause;
    this.#pause = Math.min(MOST_PAUSE, this.#pause * 2);
    return false;
  }
}
