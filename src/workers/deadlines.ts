import type { Clock, ClockTimer } from '../clock.js';
import type { Call, Due } from './call.js';

/** How often a call whose time is up is looked at again while its process keeps talking. */
const MOST_LOOKS = 8;

/** What the deadlines watch over. */
export interface Watched {
  /** The calls that a process has. */
  calls(): Iterable<Call>;
  holds(call: Call): boolean;
  /** Counts the reads in which its process said something. */
  readonly bursts: number;
  /** Its time is up, and no answer has arrived. */
  expired(call: Call, due: Due): void;
}

/**
 * The time limits of all calls at one process, with one timer: it is set for the earliest and looks at all when it goes off.
 *
 * Timers fire before what has arrived is read, if the master was busy. So a call whose time is up is looked at again after the next poll,
 * and as long as its process keeps talking a few times more: an answer that has arrived wins.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #watched: Watched;
  #timer: ClockTimer | undefined;
  #at = Infinity;

  constructor(clock: Clock, watched: Watched) {
    this.#clock = clock;
    this.#watched = watched;
  }

  /** This call's clock began, or runs anew. */
  add(call: Call): void {
    const at = call.suspected ? Infinity : call.dueAt();
    if (at < this.#at) this.#set(at);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#at = Infinity;
  }

  #set(at: number): void {
    this.#timer?.cancel();
    this.#at = at;
    this.#timer = this.#clock.after(Math.max(0, at - this.#clock.now()), this.#onTime);
  }

  readonly #onTime = (): void => {
    this.stop();
    const now = this.#clock.now();
    let next = Infinity;
    for (const call of this.#watched.calls()) {
      if (call.suspected) continue;
      const due = call.due(now);
      if (due === 'soft') this.#watched.expired(call, due);
      else if (due) {
        call.suspected = true;
        setImmediate(this.#look, call, this.#watched.bursts, 1);
        continue;
      }
      next = Math.min(next, call.dueAt());
    }
    if (next < Infinity) this.#set(next);
  };

  readonly #look = (call: Call, bursts: number, looks: number): void => {
    if (!this.#watched.holds(call)) return;
    const due = call.due(this.#clock.now());
    if (!due) {
      call.suspected = false;
      this.add(call);
    } else if (this.#watched.bursts !== bursts && looks < MOST_LOOKS) setImmediate(this.#look, call, this.#watched.bursts, looks + 1);
    else this.#watched.expired(call, due);
  };
}
