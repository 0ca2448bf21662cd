export type { Chunk, Decoder, Framing } from './framing.js';
export { FramingError } from '../errors.js';
