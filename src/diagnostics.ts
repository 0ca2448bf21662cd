import { channel, type Channel } from 'node:diagnostics_channel';
import type { EventName, Events } from './diagnostics/event-types.js';

export type { EventName, Events };

/** All events. The compiler holds the list and the interface {@link Events} together. */
const NAMES: Readonly<Record<EventName, true>> = {
  'listener.open': true,
  'listener.close': true,
  'listener.reject': true,
  'listener.error': true,
  'connection.open': true,
  'connection.secure': true,
  'connection.close': true,
  'connection.error': true,
  'connection.limit': true,
  'connection.output': true,
  'descriptors.scarce': true,
  'descriptors.enough': true,
  'dialer.up': true,
  'dialer.down': true,
  'worker.start': true,
  'worker.ready': true,
  'worker.exit': true,
  'worker.restart': true,
  'worker.gave-up': true,
  'worker.output': true,
  'worker.log': true,
  'worker.error': true,
  'worker.message': true,
  'call.retry': true,
  'call.dropped': true,
  'mesh.up': true,
  'mesh.down': true,
  'mesh.error': true,
  'channel.lost': true,
  'timer.error': true,
  'hook.error': true,
  'app.start': true,
  'app.closing': true,
  'app.close': true,
  'app.warning': true,
};

/** All event names, for subscribing to every event. */
export const eventNames = Object.keys(NAMES) as readonly EventName[];

const channels = new Map<EventName, Channel>(eventNames.map(name => [name, channel(`packet-ts:${name}`)]));

/** True when something listens: ask before building an expensive payload. */
export function observed(name: EventName): boolean {
  return channels.get(name)!.hasSubscribers;
}

/**
 * Publishes one event on `node:diagnostics_channel`, as `packet-ts:<name>`. `details` are plain facts: names, ids, numbers, errors; never
 * a peer's payload. The logger is one of the listeners.
 */
export function publish<N extends EventName>(name: N, details: Events[N]): void {
  const subject = channels.get(name)!;
  if (subject.hasSubscribers) subject.publish(details);
}
