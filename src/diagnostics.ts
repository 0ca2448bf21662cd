import { channel, type Channel } from 'node:diagnostics_channel';
import type { EventName, Events } from './diagnostics/event-types.js';

export type { EventName, Events };

/** The level of an event in the log. */
export type EventLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error';

/**
 * All events, each with its level in the log and its words there: the ordinary life of connections and workers is for debugging, what an
 * operator must see is higher. The compiler holds the list and the interface {@link Events} together.
 */
export const EVENT_WORDS: Readonly<Record<EventName, readonly [EventLevel, string]>> = {
  'listener.open': ['info', 'listening'],
  'listener.close': ['debug', 'stopped listening'],
  'listener.reject': ['warn', 'connection refused'],
  'listener.error': ['error', 'listener failed'],
  'connection.open': ['debug', 'connection open'],
  'connection.secure': ['debug', 'connection speaks TLS'],
  'connection.close': ['debug', 'connection closed'],
  'connection.error': ['error', 'connection handler failed'],
  'connection.limit': ['warn', 'connection limit reached'],
  'connection.output': ['info', 'command output'],
  'descriptors.scarce': ['error', 'hardly a file descriptor is left: connections are refused'],
  'descriptors.enough': ['info', 'there are file descriptors again'],
  'dialer.up': ['info', 'connected'],
  'dialer.down': ['warn', 'disconnected'],
  'worker.start': ['debug', 'worker process started'],
  'worker.ready': ['debug', 'worker ready'],
  'worker.exit': ['warn', 'worker process ended'],
  'worker.restart': ['debug', 'worker process replaced'],
  'worker.gave-up': ['error', 'worker cannot be started'],
  'worker.output': ['info', 'worker output'],
  // A record brings its own level and words.
  'worker.log': ['info', ''],
  'worker.error': ['error', 'worker failed outside of a call'],
  'worker.message': ['debug', 'worker sent a message that no handler takes'],
  'call.retry': ['warn', 'call tried again'],
  'call.dropped': ['warn', 'answer dropped'],
  'mesh.up': ['info', 'the mesh can be reached again'],
  'mesh.down': ['warn', 'the mesh cannot be reached'],
  'channel.lost': ['warn', 'items of a channel were lost'],
  'mesh.error': ['error', 'link over the mesh failed'],
  'timer.error': ['error', 'timer failed'],
  'hook.error': ['error', 'hook failed'],
  'app.start': ['debug', 'started'],
  'app.closing': ['debug', 'closing'],
  'app.close': ['debug', 'closed'],
  'app.warning': ['warn', 'warning'],
};

/** All event names, for subscribing to every event. */
export const eventNames = Object.keys(EVENT_WORDS) as readonly EventName[];

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
