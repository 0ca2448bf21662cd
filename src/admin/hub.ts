import type { Clock, ClockTimer } from '../clock.js';
import { Differences, type Change } from './differences.js';
import { FIRST_VIEW, read, type Sources, type View } from './view.js';

/** Milliseconds between two updates. */
const EVERY = 1_000;

/** One page that is open. */
export interface Visitor {
  /** Its last update has not left yet. */
  readonly congested: boolean;
  tell(change: Change): void;
}

interface Seat {
  readonly differences: Differences;
  view: View;
}

/** Sends all visitors the changes, once a second. Without visitors it does nothing. */
export class Hub {
  readonly #sources: Sources;
  readonly #clock: Clock;
  readonly #seats = new Map<Visitor, Seat>();
  #timer: ClockTimer | undefined;

  constructor(sources: Sources, clock: Clock) {
    this.#sources = sources;
    this.#clock = clock;
  }

  enter(visitor: Visitor): void {
    this.#seats.set(visitor, { differences: new Differences(), view: { ...FIRST_VIEW } });
    this.update(visitor);
    this.#sources.latencies.start();
    this.#timer ??= this.#clock.after(EVERY, this.#tick, false);
  }

  leave(visitor: Visitor): void {
    this.#seats.delete(visitor);
    if (this.#seats.size === 0) this.close();
  }

  /** Changes the visitor's view; undefined fields stay as they were. */
  look(visitor: Visitor, view: { readonly [K in keyof View]?: View[K] | undefined }): void {
    const seat = this.#seats.get(visitor);
    if (!seat) return;
    const given = Object.entries(view).filter(([, value]) => value !== undefined);
    seat.view = { ...seat.view, ...(Object.fromEntries(given) as Partial<View>) };
    this.update(visitor);
  }

  /** Tells one visitor at once. */
  update(visitor: Visitor): void {
    const seat = this.#seats.get(visitor);
    // One that reads slowly is told later, and then everything that has changed meanwhile.
    if (!seat || visitor.congested) return;
    const change = seat.differences.next(read(this.#sources, seat.view));
    if (change) visitor.tell(change);
  }

  close(): void {
    this.#sources.latencies.stop();
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  readonly #tick = (): void => {
    this.#timer = this.#clock.after(EVERY, this.#tick, false);
    for (const visitor of this.#seats.keys()) this.update(visitor);
  };
}
