import type { LookupAddress } from 'node:dns';
import type { Socket } from 'node:net';
import { failing, guard } from '../../guard.js';
import { clearTimeout, setTimeout } from '../../system-timers.js';

/** How long the next address waits for the one before to answer, in milliseconds: what RFC 8305 recommends. */
const NEXT_ATTEMPT = 250;

/** How dialling ends: one of them is called, once, unless it is cancelled before. */
export interface DialOutcome {
  /** Called in the turn in which that socket connected; it has no listener for errors any more. */
  onConnected(socket: Socket): void;
  /** Every address has failed; in the order in which they did. */
  onFailed(errors: readonly Error[]): void;
}

/** Families take turns, each in the order in which its addresses were found: a family without a route costs one attempt, not all. */
function alternating(addresses: readonly LookupAddress[]): LookupAddress[] {
  const [first] = addresses;
  const own = addresses.filter(({ family }) => family === first?.family);
  const other = addresses.filter(({ family }) => family !== first?.family);
  const mixed = own.flatMap((address, at) => (other[at] ? [address, other[at]] : [address]));
  return [...mixed, ...other.slice(own.length)];
}

/**
 * Dials the addresses of a name, each as soon as the one before has failed or not answered for 250 ms. A slow one is not given up for that:
 * the first that connects is taken, within whatever time the caller has, and the others are closed.
 * @returns what cancels it, and closes them all.
 */
export function dialAddresses(
  addresses: readonly LookupAddress[],
  connect: (address: LookupAddress) => Socket,
  { onConnected, onFailed }: DialOutcome,
): () => void {
  const waiting = alternating(addresses);
  const attempts = new Set<Socket>();
  const errors: Error[] = [];
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    clearTimeout(timer);
    waiting.length = 0;
    for (const socket of attempts) socket.destroy();
    attempts.clear();
  };
  const next = (): void => {
    clearTimeout(timer);
    const address = waiting.shift();
    if (!address) {
      if (attempts.size === 0) onFailed(errors);
      return;
    }
    const socket = connect(address);
    attempts.add(socket);
    const victim = failing(error => {
      socket.destroy();
      stop();
      onFailed([error]);
    });
    const onError = guard(victim, (error: Error) => {
      // One that was closed because another connected has nothing to say.
      if (!attempts.delete(socket)) return;
      errors.push(error);
      next();
    });
    socket.on('error', onError);
    socket.once(
      'connect',
      guard(victim, () => {
        attempts.delete(socket);
        stop();
        onConnected(socket);
        socket.off('error', onError);
      }),
    );
    if (waiting.length > 0) timer = setTimeout(next, NEXT_ATTEMPT);
  };
  next();
  return stop;
}
