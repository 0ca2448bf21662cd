import { StallWatch } from '../../endpoints/net/stall-watch.js';
import { GRACE } from './deadlines.js';
import type { ConnectionParts } from '../connection-parts.js';
import type { CloseReason } from '../../decorators/hook-types.js';
import { PauseReason } from '../inbound/read-loop.js';

/** The life cycle of the connection, as the grace sees it. */
export interface GraceState {
  readonly isOver: boolean;
  readonly peerHasEnded: boolean;
  readonly reason: CloseReason | undefined;
  onGraceExpired(): void;
}

/**
 * The `halfCloseGrace` of one connection: what is left of it after one side has finished. It stands still while a handler runs and while
 * the connection is piped, paused, held by `rateLimit` or waits at the gate of the event loop, and starts anew when bytes move.
 */
export class HalfCloseGrace {
  readonly #connection: ConnectionParts;
  readonly #state: GraceState;
  readonly #watch: StallWatch;
  #limit = Infinity;
  /** The limit counts from its start, whatever happens. */
  #isFixed = false;
  #standsStill = false;

  constructor(connection: ConnectionParts, state: GraceState) {
    this.#connection = connection;
    this.#state = state;
    const timer = { set: (delay: number) => connection.deadlines.set(GRACE, delay) };
    this.#watch = new StallWatch(
      connection.transport,
      timer,
      () => this.#limit,
      () => state.onGraceExpired(),
    );
  }

  /** Starts it, or starts it anew with another limit in milliseconds. */
  start(limit: number, { isFixed = false } = {}): void {
    this.#limit = limit;
    this.#isFixed = isFixed;
    this.#standsStill = false;
    if (isFixed) this.#connection.deadlines.set(GRACE, limit);
    else this.#watch.start();
    this.review();
  }

  /** Stops or restarts it: a handler has begun or finished, or the connection is piped, paused or held. */
  review(): void {
    if (this.#limit === Infinity || this.#isFixed) return;
    const standsStill = this.#isOurTurn;
    if (standsStill === this.#standsStill) return;
    this.#standsStill = standsStill;
    if (standsStill) this.#watch.stop();
    else this.#watch.start();
  }

  onExpired(): void {
    if (this.#isFixed) this.#state.onGraceExpired();
    else this.#watch.onExpired();
  }

  get #isOurTurn(): boolean {
    const { runner, isPiped, readLoop, transport } = this.#connection;
    const state = this.#state;
    // Once our direction has ended, or both have, or the bytes could not be read, nothing is waited for but the peer.
    if (state.isOver || (transport.endsBoth && state.peerHasEnded) || state.reason?.by === 'error') return false;
    const { PAUSED, PIPED, RATE, QUEUED } = PauseReason;
    return runner.isAtWork || isPiped || readLoop.isHeld(PAUSED | PIPED | RATE | QUEUED);
  }
}
