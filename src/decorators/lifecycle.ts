import type { Duration } from '../units.js';
import type { Method } from './hook-types.js';
import { onMember } from './metadata.js';

/**
 * On a worker, provider or proxy: called in dependency order before the application listens, or the worker takes calls.
 * An error thrown here stops the start.
 */
export function OnStart(): Method<() => unknown>;
export function OnStart(...given: readonly unknown[]): Method<() => unknown> {
  return onMember({ decorator: 'OnStart', given }, given);
}

/** On a worker, provider or proxy: called in reverse order after the last connection, or the last call. */
export function OnStop(): Method<() => unknown>;
export function OnStop(...given: readonly unknown[]): Method<() => unknown> {
  return onMember({ decorator: 'OnStop', given }, given);
}

/**
 * Calls the method again and again while its owner (connection, worker, proxy, provider) lives: no drift, no bursts, never two at once.
 * What it throws goes to `@OnError`, or to the log.
 * @example @Every('30s') protected ping() { this.peer.send('PING'); }
 */
export function Every(interval: Duration): Method<() => unknown> {
  return onMember({ decorator: 'Every', delay: interval });
}

/**
 * Calls the method once, that long after its owner (connection, worker, proxy, provider) came to be, if it still lives.
 * @example @After('5s') protected greet() { return 'still there?'; }
 */
export function After(delay: Duration): Method<() => unknown> {
  return onMember({ decorator: 'After', delay });
}
