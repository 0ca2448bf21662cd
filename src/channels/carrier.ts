import type { ChannelSpec } from '../decorators/injection/channel-types.js';

/** How far items of a channel go beyond this process; PUBLISH's arg. */
export const Reach = { application: 1, mesh: 2 } as const;

/** Carries items of channels to other processes, and says which ones are wanted here. */
export interface ChannelCarrier {
  /** An item was published here. Throws what the encoder throws, before any subscriber has it. */
  publish(spec: ChannelSpec, item: unknown): void;
  /** The first subscription of that name began here, or the last one ended. */
  want(spec: ChannelSpec, isWanted: boolean): void;
}

/** Bytes that may wait on one link: what is published beyond them is lost there, and counted. */
export const MOST_WAITING = 4 * 1024 * 1024;

/** Characters of a channel's name that another process may ask for. */
export const MOST_CHANNEL_NAME = 256;
