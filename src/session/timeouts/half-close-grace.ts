import type { Transport } from '../../endpoints/endpoint.js';
import { StallWatch } from '../../endpoints/net/stall-watch.js';
import { GRACE, type ConnectionDeadlines } from './deadlines.js';
import type { CloseReason } from '../../decorators/hook-types.js';
import type { HandlerRunner } from '../handler/handler-runner.js';
import { PauseReason, type ReadLoop } from '../inbound/read-loop.js';

/** The session, as the grace sees it. */
export interface GraceHost {
  readonly transport: Transport;
  readonly deadlines: ConnectionDeadlines;
  readonly runner: HandlerRunner;
  readonly readLoop: ReadLoop;
  readonly isPiped: boolean;
  readonly state: {
    readonly isOver: boolean;
    readonly peerHasEnded: boolean;
    readonly reason: CloseReason | undefined;
    onGraceExpired(): void;
  };
}

/**
 * The `halfCloseGrace` of one connection: what is left of it after one side has finished. It stands still while a handler runs and while
 * the connection is piped, paused, held by `rateLimit` or waits at the gate of the event loop, and starts anew when bytes move.
 */
export class HalfCloseGrace {
  readonly #host: GraceHost;
  readonly #watch: StallWatch;
  #limit = Infinity;
  /** The limit counts from its start, whatever happens. */
  #isFixed = false;
  #standsStill = false;

  constructor(host: GraceHost) {
    this.#host = host;
    const timer = { set: (delay: number) => host.deadlines.set(GRACE, delay) };
    this.#watch = new StallWatch(
      host.transport,
      timer,
      () => this.#limit,
      () => host.state.onGraceExpired(),
    );
  }

  /** Starts it, or starts it anew with another limit in milliseconds. */
  start(limit: number, { isFixed = false } = {}): void {
    this.#limit = limit;
    this.#isFixed = isFixed;
    this.#standsStill = false;
    if (isFixed) this.#host.deadlines.set(GRACE, limit);
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

  expired(): void {
    if (this.#isFixed) this.#host.state.onGraceExpired();
    else this.#watch.expired();
  }

  get #isOurTurn(): boolean {
    const { state, runner, isPiped, readLoop, transport } = this.#host;
    // Once our direction has ended, or both have, or the bytes could not be read, nothing is waited for but the peer.
    if (state.isOver || (transport.endsBoth && state.peerHasEnded) || state.reason?.by === 'error') return false;
    const { PAUSED, PIPED, RATE, QUEUED } = PauseReason;
    return runner.isAtWork || isPiped || readLoop.held(PAUSED | PIPED | RATE | QUEUED);
  }
}
