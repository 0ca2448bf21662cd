import type { Clock, ClockTimer } from '../../clock.js';
import { stallExtension } from '../../deadline.js';
import type { Call, Due } from '../call/call.js';
import { isDebugged } from './debugged.js';
import { setImmediate } from '../../system-timers.js';

/** How often a call whose time is up is looked at again while its process keeps talking. */
const MOST_LOOKS = 8;

/** A call with deadlines. */
export interface WatchedCalls {
  /** The calls that a process has. */
  calls(): Iterable<Call>;
  holds(call: Call): boolean;
  /** Counts the reads in which its process said something. */
  readonly bursts: number;
  /** Its time is up, and no answer has arrived. */
  onExpired(call: Call, due: Due): void;
}

/**
 * The time limits of all calls at one process, with one timer: it is set for the earliest and looks at all when it goes off.
 *
 * As with `deadline()`, calls are judged after the poll that follows the timer, and after a stall of the master later still; as long as
 * the process keeps talking a few polls more: an answer that has arrived wins.
 */
export class CallDeadlines {
  readonly #clock: Clock;
  readonly #watched: WatchedCalls;
  #timer: ClockTimer | undefined;
  #at = Infinity;
  /** End of the extension after a stall: no call is judged earlier. -Infinity: there is none. */
  #extendedTo = -Infinity;
  #judging: NodeJS.Immediate | undefined;
  /** Its processes are started under an inspector: no call has a limit. Looked up at the first call. */
  #isDebugged: boolean | undefined;

  constructor(clock: Clock, watched: WatchedCalls) {
    this.#clock = clock;
    this.#watched = watched;
  }

  /** This call's clock began, or runs anew. */
  add(call: Call): void {
    if ((this.#isDebugged ??= isDebugged(call.target.worker.settings))) return;
    const at = call.isSuspected ? Infinity : call.dueAt();
    if (at < this.#at) this.#set(at);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#at = Infinity;
    clearImmediate(this.#judging);
  }

  #set(at: number): void {
    this.#timer?.cancel();
    this.#at = Math.max(at, this.#extendedTo);
    this.#timer = this.#clock.after(Math.max(0, this.#at - this.#clock.now()), this.#onTime);
  }

  readonly #onTime = (): void => {
    const now = this.#clock.now();
    const extension = this.#extendedTo === -Infinity ? stallExtension(this.#at, now) : 0;
    this.#timer = undefined;
    this.#at = Infinity;
    if (extension > 0) {
      this.#extendedTo = now + extension;
      this.#set(this.#extendedTo);
      return;
    }
    this.#extendedTo = -Infinity;
    this.#judging = setImmediate(this.#judge, now, this.#watched.bursts);
  };

  readonly #judge = (now: number, bursts: number): void => {
    const overdue: Call[] = [];
    let next = Infinity;
    for (const call of this.#watched.calls()) {
      if (call.isSuspected) continue;
      const due = call.overdue(now);
      if (due === 'soft' || due === 'lingers') this.#watched.onExpired(call, due);
      else if (due) {
        call.isSuspected = true;
        overdue.push(call);
        continue;
      }
      next = Math.min(next, call.dueAt());
    }
    if (next < this.#at) this.#set(next);
    for (const call of overdue) this.#look(call, bursts, 1);
  };

  readonly #look = (call: Call, bursts: number, looks: number): void => {
    if (!this.#watched.holds(call)) return;
    const due = call.overdue(this.#clock.now());
    if (!due) {
      call.isSuspected = false;
      this.add(call);
    } else if (this.#watched.bursts !== bursts && looks < MOST_LOOKS) setImmediate(this.#look, call, this.#watched.bursts, looks + 1);
    else this.#watched.onExpired(call, due);
  };
}
