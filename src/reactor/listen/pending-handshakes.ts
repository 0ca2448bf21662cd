import type { Clock } from '../../clock.js';
import type { Arrival, Remote } from '../../endpoints/endpoint.js';
import { LimitError, ProxyProtocolError, type PacketError } from '../../errors.js';
import type { Admission, Refusal } from './admission.js';
import { shaken } from '../../timing/handshake-timeout.js';
import type { ConnectionLimits } from '../../session/limits.js';

/** The listener, as its vestibule sees it. */
export interface PendingHandshakesHost {
  readonly limits: ConnectionLimits;
  /** It may become a connection. */
  begin(arrival: Arrival): void;
  /** It came to nothing, and its place is free. */
  turnedAway(arrival: Arrival, reason: string, error: unknown): void;
}

/** As whom it is counted, and judged by address rules. */
export function countedAs(arrival: Pick<Arrival, 'remote' | 'who'>): Pick<Remote, 'address'> {
  return arrival.who ?? arrival.remote;
}

/** Behind a proxy, until it has said who is there: no address rule applies, and nobody's share is used. */
const NOBODY: Remote = { url: '' };

/** Why it came to nothing, by the name of the option or of what failed. */
function reasonOf(error: unknown): string {
  if (error instanceof LimitError) return error.limit;
  return error instanceof ProxyProtocolError ? 'proxyProtocol' : 'handshake';
}

/**
 * Where accepted connections wait that are none yet: for the word of a proxy, for a handshake. They are counted, and what strangers do here
 * costs them their place, and nobody else anything.
 */
export class PendingHandshakes {
  readonly #host: PendingHandshakesHost;
  readonly #clock: Clock;
  readonly #admission: Admission;
  /** As whom each is counted. */
  readonly #waiting = new Map<Arrival, Pick<Remote, 'address'> | undefined>();

  constructor(host: PendingHandshakesHost, clock: Clock, admission: Admission) {
    this.#host = host;
    this.#clock = clock;
    this.#admission = admission;
  }

  /** Whether it must wait here. It has been counted by `enter`. */
  takes(arrival: Arrival): boolean {
    const introduces = this.#introduces(arrival);
    if (!introduces && !arrival.handshake) return false;
    this.#waiting.set(arrival, introduces ? NOBODY : countedAs(arrival));
    void this.#prepare(arrival);
    return true;
  }

  /** Counts it, or says why it is not let in. */
  enter(arrival: Arrival): Refusal | undefined {
    const { isProxy } = this.#admission;
    if (!isProxy || !arrival.introduce) return this.#admission.enter(countedAs(arrival));
    return isProxy(countedAs(arrival)) ? this.#admission.enter(NOBODY) : 'proxyProtocol';
  }

  /** Counts it no more: it was counted by `enter`, and went no further. */
  leave(arrival: Arrival): void {
    this.#admission.leave(this.#introduces(arrival) ? NOBODY : countedAs(arrival));
  }

  /** Nobody waits here any more. */
  close(error: PacketError): void {
    for (const arrival of this.#waiting.keys()) arrival.destroy(error);
  }

  #introduces(arrival: Arrival): boolean {
    return this.#admission.isProxy !== undefined && arrival.introduce !== undefined;
  }

  async #prepare(arrival: Arrival): Promise<void> {
    const { handshakeTimeout } = this.#host.limits;
    try {
      await shaken(
        this.#clock,
        handshakeTimeout,
        () => this.#ready(arrival),
        late => arrival.destroy(late),
      );
    } catch (error) {
      const counted = this.#waiting.get(arrival);
      this.#waiting.delete(arrival);
      if (counted) this.#admission.leave(counted);
      this.#host.turnedAway(arrival, reasonOf(error), error);
      return;
    }
    this.#waiting.delete(arrival);
    this.#host.begin(arrival);
  }

  /** The proxy's word, the rules for whom it names, then TLS. */
  async #ready(arrival: Arrival): Promise<void> {
    if (this.#introduces(arrival)) {
      await arrival.introduce!();
      this.#admission.leave(NOBODY);
      this.#waiting.set(arrival, undefined);
      const refusal = this.#admission.enter(countedAs(arrival));
      if (refusal !== undefined) {
        const error = new LimitError(refusal, `refused: ${refusal}`);
        arrival.destroy(error);
        throw error;
      }
      this.#waiting.set(arrival, countedAs(arrival));
    }
    await arrival.handshake?.();
  }
}
