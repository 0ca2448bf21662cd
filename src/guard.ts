import { EventEmitter } from 'node:events';
import { publish } from './diagnostics.js';
import { asError } from './errors.js';

/** Ended when a listener of it throws. */
export interface Victim {
  destroy(error?: Error): unknown;
}

/**
 * Fault injection for specs: called before each guarded listener, with the function that {@link guard} returned.
 * What it throws counts as thrown by that listener.
 */
export const faults: { inject?: ((guarded: object) => void) | undefined } = {};

/** Never throws. A Node stream is destroyed without the error, which would be emitted where nobody may be listening. */
function destroy(victim: Victim, error: Error): void {
  try {
    publish('connection.error', { during: 'socket', error });
    if (victim instanceof EventEmitter) victim.destroy();
    else victim.destroy(error);
  } catch {
    // It could not even be destroyed; everything else goes on.
  }
}

/**
 * Wraps a listener of a Node emitter, or a callback given to Node: what it throws destroys `victim` alone. Unguarded it would be an
 * uncaught exception, and those end the process.
 * @example socket.on('data', guard(socket, (chunk: Buffer) => this.#data(chunk)));
 */
export function guard<A extends readonly unknown[]>(victim: Victim, listener: (...args: A) => void): (...args: A) => void {
  const guarded = (...args: A): void => {
    try {
      faults.inject?.(guarded);
      listener(...args);
    } catch (thrown) {
      destroy(victim, asError(thrown));
    }
  };
  return guarded;
}
