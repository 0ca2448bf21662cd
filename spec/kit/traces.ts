import type { TracingChannel } from 'node:diagnostics_channel';
import { atEnd } from './cleanup.js';

/** What a tracing channel publishes from now on, until the end of the test. */
export interface Traced<T> {
  readonly told: ('start' | 'end' | 'asyncStart' | 'asyncEnd' | 'error')[];
  readonly seen: T[];
}

/** Listens to all five channels of one kind. */
export function traced<T extends object>(channel: TracingChannel<unknown, T>): Traced<T> {
  const to: Traced<T> = { told: [], seen: [] };
  const listen = (what: Traced<T>['told'][number]) => (message: T) => {
    to.told.push(what);
    to.seen.push(message);
  };
  const listeners = {
    start: listen('start'),
    end: listen('end'),
    asyncStart: listen('asyncStart'),
    asyncEnd: listen('asyncEnd'),
    error: listen('error'),
  };
  channel.subscribe(listeners);
  atEnd(() => channel.unsubscribe(listeners));
  return to;
}
