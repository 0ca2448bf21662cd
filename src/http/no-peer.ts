import { UsageError } from '../errors.js';
import type { Peer } from '../session/peer.js';

/** Answers whatever is asked of a peer that is not there. */
const NOTHING_ELSE: object = new Proxy(
  {},
  {
    get: (_target, key) => {
      // Asked of anything that might be disposed of, awaited or printed.
      if (typeof key === 'symbol' || key === 'then' || key === 'dispose') return undefined;
      throw new UsageError(`a request has no peer: '${key}' is what @OnRequest is given, or its Response`);
    },
  },
);

class NoPeer {
  readonly #of: { readonly id: string };

  constructor(of: { readonly id: string }) {
    this.#of = of;
  }

  get id(): string {
    return this.#of.id;
  }
}
Object.setPrototypeOf(NoPeer.prototype, NOTHING_ELSE);

/** Stands where a handler of messages has its peer: it has the id of a request, for the log, and every other use throws. */
export function noPeer(of: { readonly id: string }): Peer {
  // Every use of it but its id is told to be a mistake.
  const peer: object = new NoPeer(of);
  return peer as Peer;
}
