import type { Clock, ClockTimer } from '../../clock.js';
import type { Call } from '../../workers/call/call.js';

interface Waiting {
  readonly call: Call;
  readonly since: number;
}

/** Calls that wait in the queue of a pool without processes of its own: while there is no host, each waits for one only so long. */
export class WaitingForHost {
  readonly #clock: Clock;
  /** Milliseconds. */
  readonly #limit: number;
  readonly #error: (waited: number) => Error;
  /** Oldest first. Those that have left the queue meanwhile are dropped when they are met. */
  #calls: Waiting[] = [];
  /** Since when there is no host; -1: there is one. */
  #without: number;
  #timer: ClockTimer | undefined;

  constructor(clock: Clock, patience: number, error: (waited: number) => Error) {
    this.#clock = clock;
    this.#limit = patience;
    this.#error = error;
    this.#without = clock.now();
  }

  /** A call has entered the queue. `isHopeless`: there are hosts, and none can serve it. */
  add(call: Call, isHopeless: boolean): void {
    if (this.#without >= 0 && (isHopeless || this.#limit === 0)) return call.abortWith(this.#error(0));
    this.#calls.push({ call, since: this.#clock.now() });
    if (this.#calls.length % 1024 === 0) this.#calls = this.#calls.filter(({ call: each }) => waits(each));
    if (this.#without >= 0) this.#set();
  }

  onHost(): void {
    this.#without = -1;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  onNoHosts(isHopeless: boolean): void {
    if (this.#without < 0) this.#without = this.#clock.now();
    if (isHopeless || this.#limit === 0) this.#giveUp(Infinity);
    else this.#set();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#calls = [];
  }

  /** One timer for all: it goes off when the patience of the first one may be over. */
  #set(): void {
    const first = this.#calls[0];
    if (this.#timer || !first) return;
    const until = Math.max(first.since, this.#without) + this.#limit;
    this.#timer = this.#clock.after(
      Math.max(0, until - this.#clock.now()),
      () => {
        this.#timer = undefined;
        this.#giveUp(this.#clock.now() - this.#limit);
        this.#set();
      },
      true,
    );
  }

  /** Gives up those that have waited since then or longer. */
  #giveUp(since: number): void {
    const isDue = (each: Waiting): boolean => Math.max(each.since, this.#without) <= since;
    const due = this.#calls.filter(isDue);
    this.#calls = this.#calls.filter(each => !isDue(each) && waits(each.call));
    for (const { call } of due) if (waits(call)) call.abortWith(this.#error(since === Infinity ? 0 : this.#limit));
  }
}

/** Whether the call is still in the queue. */
function waits(call: Call): boolean {
  return !call.isSettled && call.id === 0;
}
