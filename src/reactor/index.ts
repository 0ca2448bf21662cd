export { ChannelFace, Channels } from './channel.js';
export { ReactorCore, type ReactorOptions } from './core.js';
export { Dialer, dialerOf, type DialerEvents, type DialerState } from './dialer.js';
export type { Limits } from './limits.js';
export type { Listening } from './listener.js';
export { Peer, type FileRange, type PipeOptions } from './peer.js';
export type { Build, Built, Handlers } from './plan-types.js';
export { Reactor, type BroadcastOptions, type Connections, type Where } from './reactor.js';
export { Timers, type Timer } from './timers.js';
