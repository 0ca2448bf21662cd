export { decodeValue, encodeValue } from './codec/codec.js';
export { duplexPair } from './link/duplex-pair.js';
export { openLink } from './link/link.js';
export * from './link/protocol.js';
export type { Body, Encoded, Link, LinkOptions, LinkReceiver } from './link/types.js';
