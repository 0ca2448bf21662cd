import type { SocketHandle } from '../../hosts/host.js';

/** Sockets that have arrived at a worker and wait for their message. */
export class SocketQueue {
  /** Lets go of one that this worker is not to have. */
  readonly discard: (handle: SocketHandle) => void;
  /** The worker is over, and has not begun with this one. */
  readonly abandon: (handle: SocketHandle) => void;
  #waiting: [number, SocketHandle][] = [];
  #taker: ((id: number, handle: SocketHandle) => void) | undefined;

  constructor(discard: (handle: SocketHandle) => void, abandon = discard) {
    this.discard = discard;
    this.abandon = abandon;
  }

  readonly onArrival = (id: number, handle: SocketHandle): void => {
    if (this.#taker) this.#taker(id, handle);
    else this.#waiting.push([id, handle]);
  };

  /** From now on they go there, beginning with those that wait. */
  take(taker: (id: number, handle: SocketHandle) => void): void {
    this.#taker = taker;
    for (const [id, handle] of this.#waiting.splice(0)) taker(id, handle);
  }
}
