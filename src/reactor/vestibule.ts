import type { Clock } from '../clock.js';
import type { Remote, Transport } from '../endpoints/endpoint.js';
import { LimitError, ProxyProtocolError, type PacketError } from '../errors.js';
import type { Admission, Refusal } from './admission.js';
import { shaken } from './handshake.js';
import type { Limits } from './limits.js';

/** The listener, as its vestibule sees it. */
export interface VestibuleHost {
  readonly limits: Limits;
  /** It may become a connection. */
  begin(transport: Transport): void;
  /** It came to nothing, and its place is free. */
  turnedAway(transport: Transport, reason: string, error: unknown): void;
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
export class Vestibule {
  readonly #host: VestibuleHost;
  readonly #clock: Clock;
  readonly #admission: Admission;
  /** As whom each is counted. */
  readonly #waiting = new Map<Transport, Remote | undefined>();

  constructor(host: VestibuleHost, clock: Clock, admission: Admission) {
    this.#host = host;
    this.#clock = clock;
    this.#admission = admission;
  }

  /** Whether it must wait here. It has been counted by `enter`. */
  takes(transport: Transport): boolean {
    const introduces = this.#introduces(transport);
    if (!introduces && !transport.handshake) return false;
    this.#waiting.set(transport, introduces ? NOBODY : transport.remote);
    void this.#prepare(transport);
    return true;
  }

  /** Counts it, or says why it is not let in. */
  enter(transport: Transport): Refusal | undefined {
    if (!this.#introduces(transport)) return this.#admission.enter(transport.remote);
    return this.#admission.isProxy(transport.remote) ? this.#admission.enter(NOBODY) : 'proxyProtocol';
  }

  /** Counts it no more: it was counted by `enter`, and went no further. */
  leave(transport: Transport): void {
    this.#admission.leave(this.#introduces(transport) ? NOBODY : transport.remote);
  }

  /** Nobody waits here any more. */
  close(error: PacketError): void {
    for (const transport of this.#waiting.keys()) transport.destroy(error);
  }

  #introduces(transport: Transport): boolean {
    return this.#admission.proxied && transport.introduce !== undefined;
  }

  async #prepare(transport: Transport): Promise<void> {
    const { handshakeTimeout } = this.#host.limits;
    try {
      await shaken(
        this.#clock,
        handshakeTimeout,
        () => this.#ready(transport),
        late => transport.destroy(late),
      );
    } catch (error) {
      const counted = this.#waiting.get(transport);
      this.#waiting.delete(transport);
      if (counted) this.#admission.leave(counted);
      this.#host.turnedAway(transport, reasonOf(error), error);
      return;
    }
    this.#waiting.delete(transport);
    this.#host.begin(transport);
  }

  /** The proxy's word, the rules for whom it names, then TLS. */
  async #ready(transport: Transport): Promise<void> {
    if (this.#introduces(transport)) {
      await transport.introduce!();
      this.#admission.leave(NOBODY);
      this.#waiting.set(transport, undefined);
      const refusal = this.#admission.enter(transport.remote);
      if (refusal !== undefined) {
        const error = new LimitError(refusal, `refused: ${refusal}`);
        transport.destroy(error);
        throw error;
      }
      this.#waiting.set(transport, transport.remote);
    }
    await transport.handshake?.();
  }
}
