import { EventEmitter } from 'node:events';
import { publish } from './diagnostics.js';
import { asError } from './errors.js';

/** Ended when a listener of it throws. */
export interface Victim {
  destroy(error?: Error): unknown;
}

/** For listeners whose failure ends nothing: it is told, and what they were called for is lost. */
export const NO_VICTIM: Victim = { destroy() {} };

/**
 * A victim that is destroyed, and whose waiting promise rejects.
 * @param ended what ends it; given the error.
 */
export function failing(ended: (error: Error) => void): Victim {
  return { destroy: error => ended(error!) };
}

/** A listener that never throws. */
type Guarded<T, A extends unknown[]> = (this: T, ...args: A) => void;

/**
 * Fault injection for specs: called before each guarded listener, with the function that {@link guard} returned.
 * What it throws counts as thrown by that listener.
 */
export const faults: { inject?: ((guarded: object) => void) | undefined } = {};

/** Never throws. A Node stream is destroyed without the error, which would be emitted where there may be no listener. */
function end(victim: Victim, error: Error): void {
  try {
    publish('connection.error', { during: 'socket', error });
    if (victim instanceof EventEmitter) victim.destroy();
    else victim.destroy(error);
  } catch {
    // Even destroying it failed; everything else goes on.
  }
}

/**
 * Wraps a listener of a Node emitter, or a callback given to Node: what it throws destroys `victim` alone. Unguarded it would be an
 * uncaught exception, and those end the process.
 * @example socket.on('data', guard(socket, (chunk: Buffer) => buffered.push(chunk)));
 */
export function guard<A extends readonly unknown[]>(victim: Victim, listener: (...args: A) => void): (...args: A) => void {
  const guarded = (...args: A): void => {
    try {
      faults.inject?.(guarded);
      listener(...args);
    } catch (thrown) {
      end(victim, asError(thrown));
    }
  };
  return guarded;
}

/**
 * Wraps a listener of a server, whose victim is one of the arguments.
 * @example server.on('connection', guardEach((socket: Socket) => socket, socket => socket.resume()));
 */
export function guardEach<A extends readonly unknown[]>(
  victimOf: (...args: A) => Victim,
  listener: (...args: A) => void,
): (...args: A) => void {
  const guarded = (...args: A): void => {
    try {
      faults.inject?.(guarded);
      listener(...args);
    } catch (thrown) {
      end(victimOf(...args), asError(thrown));
    }
  };
  return guarded;
}

/** Wraps a function that is the listener of many emitters: the victim belongs to the one that it is called for, its `this`. */
export function guardThis<T, A extends unknown[]>(victimOf: (emitter: T) => Victim, listener: Guarded<T, A>): Guarded<T, A> {
  const guarded: Guarded<T, A> = function (...args) {
    try {
      faults.inject?.(guarded);
      listener.apply(this, args);
    } catch (thrown) {
      end(victimOf(this), asError(thrown));
    }
  };
  return guarded;
}
