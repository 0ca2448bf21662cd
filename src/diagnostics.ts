import { channel, type Channel } from 'node:diagnostics_channel';

/**
 * Everything observable is an event on `node:diagnostics_channel`, named `packet-ts:<subject>.<what>`.
 * Nothing is allocated unless somebody listens; the logger is one of the listeners.
 * @example diagnostics_channel.subscribe('packet-ts:worker.exit', ({ worker, pid, reason }) => …)
 */
// prettier-ignore
const NAMES = [
  'listener.open', 'listener.close', 'listener.reject', 'listener.error',
  'connection.open', 'connection.secure', 'connection.close', 'connection.error', 'connection.limit', 'connection.output',
  'descriptors.scarce', 'descriptors.enough',
  'dialer.up', 'dialer.down',
  'worker.start', 'worker.ready', 'worker.exit', 'worker.restart', 'worker.gave-up', 'worker.output', 'worker.error', 'worker.message',
  'call.retry', 'call.dropped', 'mesh.up', 'mesh.down', 'mesh.error',
  'timer.error', 'hook.error', 'app.start', 'app.close', 'app.warning',
] as const;

export type EventName = (typeof NAMES)[number];

const channels = new Map<EventName, Channel>(NAMES.map(name => [name, channel(`packet-ts:${name}`)]));

/** All event names, for whoever subscribes to everything. */
export const eventNames: readonly EventName[] = NAMES;

/** True when somebody listens: ask before building an expensive payload. */
export function observed(name: EventName): boolean {
  return channels.get(name)!.hasSubscribers;
}

/** Publishes one event. `details` are plain facts: names, ids, numbers, errors; never a peer's payload. */
export function publish(name: EventName, details: object): void {
  const subject = channels.get(name)!;
  if (subject.hasSubscribers) subject.publish(details);
}
