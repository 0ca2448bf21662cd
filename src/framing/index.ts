/**
 * How messages lie in bytes: the built-in framings, and the interface that yours implements.
 * @module packet-ts/framing
 */
export type { Chunk, Decoder, Framing } from './framing.js';
export { FramingError } from '../errors.js';
export { ByteQueue } from './decoding/byte-queue.js';
export { delimited } from './delimited.js';
export { fixed } from './fixed.js';
export { headerAndBody, type HeaderAndBody } from './header-and-body.js';
export { json } from './json.js';
export { lengthPrefixed, type LengthPrefixedOptions } from './length-prefixed.js';
export { lines, type LinesOptions } from './lines.js';
export { netstring } from './netstring.js';
export { objects } from './objects.js';
export { raw } from './raw.js';
