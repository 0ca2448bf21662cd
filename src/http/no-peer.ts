import { UsageError } from '../errors.js';
import type { Peer } from '../session/peer.js';

/** What stands where a handler of messages has its peer: it has an id, for the log, and says that there is nothing else. */
export function noPeer(id: () => string): Peer {
  const target = {};
  const proxy: object = new Proxy(target, {
    get: (_target, key) => {
      if (key === 'id') return id();
      // Asked of anything that might be disposed of, awaited or printed.
      if (typeof key === 'symbol' || key === 'then' || key === 'dispose') return undefined;
      throw new UsageError(`a request has no peer: '${key}' is what @OnRequest is given, or its Response`);
    },
  });
  // Every use of it but its id is told to be a mistake.
  return proxy as Peer;
}
