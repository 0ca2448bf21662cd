import type { Call } from '../call/call.js';
import { List, type Listed } from './list.js';

/** Calls of one affinity: one runs (or is the next to run), the others wait behind it. `Home` is a process. */
class AffinityQueue<Home> {
  readonly waiting = new List<AffinityTicket<Home>>();
  /** Where the last one ran. */
  home: Home | undefined;
  constructor(readonly affinity: string) {}
}

/** A call's place in its lane. In a list: it waits behind another. */
export class AffinityTicket<Home = unknown> implements Listed<AffinityTicket<Home>> {
  prev: AffinityTicket<Home> | undefined;
  next: AffinityTicket<Home> | undefined;
  list: List<AffinityTicket<Home>> | undefined;
  constructor(
    readonly lane: AffinityQueue<Home>,
    readonly call: Call,
  ) {}
}

/**
 * Stickiness inside a pool: calls of equal affinity run one at a time, in order, on one process while it lives and has unfinished ones.
 * A lane exists only while it has a call.
 */
export class AffinityQueues<Home> {
  readonly #queues = new Map<string, AffinityQueue<Home>>();
  readonly #seats = new WeakMap<Call, AffinityTicket<Home>>();

  /** True: it may go at once. False: another one of its affinity is unfinished. */
  join(call: Call, affinity: string): boolean {
    let lane = this.#queues.get(affinity);
    const first = lane === undefined;
    if (!lane) this.#queues.set(affinity, (lane = new AffinityQueue(affinity)));
    const seat = new AffinityTicket(lane, call);
    this.#seats.set(call, seat);
    call.hasAffinityPlace = true;
    if (!first) lane.waiting.append(seat);
    return first;
  }

  /** Where its predecessor ran. */
  home(call: Call): Home | undefined {
    return this.#seats.get(call)?.lane.home;
  }

  setHome(call: Call, home: Home): void {
    const seat = this.#seats.get(call);
    if (seat) seat.lane.home = home;
  }

  /** Removes a call that has finished or gave up waiting. Returns the one that may go now in its stead. */
  leave(call: Call): Call | undefined {
    const seat = this.#seats.get(call);
    if (!seat) return undefined;
    this.#seats.delete(call);
    call.hasAffinityPlace = false;
    const { lane } = seat;
    if (seat.list) {
      lane.waiting.remove(seat);
      return undefined;
    }
    const next = lane.waiting.shift();
    if (!next) this.#queues.delete(lane.affinity);
    return next?.call;
  }
}
