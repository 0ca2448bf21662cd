import type { EndpointTarget } from '../endpoints/endpoint.js';
import type { Framing } from '../framing/framing.js';
import { webUrl } from '../web/web-url.js';
import { raw } from '../framing/raw.js';
import { resolveLimits, type ConnectionLimits } from '../session/limits.js';
import { limitOf, toMilliseconds, type Duration, type Off } from '../units.js';
import type { WebSocketSettings } from './transport.js';

/** Below the 60 s after which proxies close a connection that is silent. */
const KEEP_ALIVE = '45s';
/** Least limit of a stream's messages, in bytes: its real limit is on the messages that the framing finds in them. */
const PIECE = 1024 * 1024;
/** `ws` counts in 32 bits; 0 is off. */
const COUNTABLE = 2 ** 31 - 1;
/** Fragments of one message, and chunks it may arrive in: each costs memory besides its bytes. */
const MAX_FRAGMENTS = 4_096;
const CHUNK = 256;

/** Limits for `ws`: it keeps them before memory is taken. */
export interface FrameOptions {
  readonly maxPayload: number;
  readonly maxFragments: number;
  readonly maxBufferedChunks: number;
  readonly autoPong: false;
  /** All messages of a chunk are told while it is read. */
  readonly allowSynchronousEvents: true;
  readonly perMessageDeflate: false;
}

/** The limits of an endpoint, in numbers. */
export function limitsOf({ options }: EndpointTarget, use: 'listen' | 'connect'): ConnectionLimits {
  const framing = (options['framing'] as Framing<unknown, unknown> | undefined) ?? raw();
  return resolveLimits(options, framing, 'ws', use);
}

export function webSocketSettingsOf(scheme: WebSocketSettings['scheme'], { url, options }: EndpointTarget): WebSocketSettings {
  const keepAlive = limitOf(toMilliseconds((options['keepAlive'] as Duration | Off | undefined) ?? KEEP_ALIVE));
  // The blueprint has checked the url.
  return { scheme, path: webUrl(url)!.path ?? '', stream: options['stream'] === true, keepAlive };
}

export function frameOptionsOf({ maxMessageSize }: Pick<ConnectionLimits, 'maxMessageSize'>, { stream }: WebSocketSettings): FrameOptions {
  const most = stream ? Math.max(maxMessageSize, PIECE) : maxMessageSize;
  return {
    maxPayload: most <= COUNTABLE ? most : 0,
    maxFragments: MAX_FRAGMENTS,
    // As many of the smallest segments as an honest client sends.
    maxBufferedChunks: Math.max(MAX_FRAGMENTS, Math.ceil(Math.min(most, COUNTABLE) / CHUNK)),
    autoPong: false,
    allowSynchronousEvents: true,
    perMessageDeflate: false,
  };
}
