export { decodeValue, encodeValue } from './codec.js';
export { duplexPair } from './duplex-pair.js';
export { openLink } from './link.js';
export * from './protocol.js';
export type { Body, Encoded, Link, LinkOptions, LinkReceiver } from './types.js';
