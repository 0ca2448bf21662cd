import type { Clock } from '../../clock.js';
import type { Arrival, Remote } from '../../endpoints/endpoint.js';
import { LimitError, ProxyProtocolError, type PacketError } from '../../errors.js';
import type { Admission, Refusal } from './admission.js';
import { handshakeWithin } from '../../timing/handshake-timeout.js';
import type { ConnectionLimits } from '../../session/limits.js';

/** The listener, as its pending handshakes see it. */
export interface PendingHandshakesHost {
  readonly limits: ConnectionLimits;
  /** The arrival is prepared: make a connection of it. */
  onReady(arrival: Arrival): void;
  /** The arrival failed to become a connection, and its place is free. */
  onRefused(arrival: Arrival, reason: string, error: unknown): void;
}

/** The address that an arrival is counted and judged by. */
export function countedAs(arrival: Pick<Arrival, 'remote' | 'peerAddress'>): Pick<Remote, 'address'> {
  return arrival.peerAddress ?? arrival.remote;
}

/** Stands for a client whose proxy has not named it yet: no address rule applies, and it counts towards no client's share. */
const NOBODY: Remote = { url: '' };

/** Why it came to nothing, by the name of the option or of what failed. */
function reasonOf(error: unknown): string {
  if (error instanceof LimitError) return error.limit;
  return error instanceof ProxyProtocolError ? 'proxyProtocol' : 'handshake';
}

/**
 * Accepted sockets that are still reading a PROXY header or in a handshake. Each counts towards maxConnections and is closed after
 * handshakeTimeout.
 */
export class PendingHandshakes {
  readonly #host: PendingHandshakesHost;
  readonly #clock: Clock;
  readonly #admission: Admission;
  /** The address that each is counted by. */
  readonly #waiting = new Map<Arrival, Pick<Remote, 'address'> | undefined>();

  constructor(host: PendingHandshakesHost, clock: Clock, admission: Admission) {
    this.#host = host;
    this.#clock = clock;
    this.#admission = admission;
  }

  /** Whether it must wait here. It has been counted by `enter`. */
  mustWait(arrival: Arrival): boolean {
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

  /** Closes all that still wait. */
  close(error: PacketError): void {
    for (const arrival of this.#waiting.keys()) arrival.destroy(error);
  }

  #introduces(arrival: Arrival): boolean {
    return this.#admission.isProxy !== undefined && arrival.introduce !== undefined;
  }

  async #prepare(arrival: Arrival): Promise<void> {
    const { handshakeTimeout } = this.#host.limits;
    try {
      await handshakeWithin(
        this.#clock,
        handshakeTimeout,
        () => this.#ready(arrival),
        late => arrival.destroy(late),
      );
    } catch (error) {
      const counted = this.#waiting.get(arrival);
      this.#waiting.delete(arrival);
      if (counted) this.#admission.leave(counted);
      this.#host.onRefused(arrival, reasonOf(error), error);
      return;
    }
    this.#waiting.delete(arrival);
    this.#host.onReady(arrival);
  }

  /** Reads the PROXY header, applies the rules to the client that it names, then runs the TLS handshake. */
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
