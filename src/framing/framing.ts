import type { Size } from '../units.js';

/** Bytes on their way out; strings are UTF-8. */
export type Chunk = Uint8Array | string;

/**
 * How messages lie in a stream of bytes: one small file each, and yours has the same rights and tools as the built-in ones.
 * docs/framing.md has the contract and two of your own; `conformance()` in `packet-ts/testing` holds them to it.
 * @example
 * const words: Framing<string[], string> = {
 *   decoder: limit => {
 *     const inner = lines().decoder(limit);
 *     return { push: chunk => inner.push(chunk), next: () => inner.next()?.split(' '), rest: () => inner.rest() };
 *   },
 *   encode: text => `${text}\r\n`,
 * };
 */
export interface Framing<In, Out = In> {
  /** A decoder for one connection. `limit`: the most bytes that one message may have; Infinity when off. */
  decoder(limit: number): Decoder<In>;
  /** The bytes of one message; throws when it cannot be encoded. */
  encode(message: Out): Chunk | readonly Chunk[];
  /** The limit where `maxMessageSize` is not given. */
  readonly maxMessageSize?: Size;
  /** The variant for transports that delimit messages themselves (udp, ws). */
  readonly whole?: Framing<In, Out>;
  /** In and Out are one: a client may use the framing as it is. */
  readonly symmetric?: true;
}

/** Reads one connection's bytes. It may keep state across messages. */
export interface Decoder<In> {
  /** Takes bytes in. The buffer is the decoder's own. Does not throw: messages in front of a bad byte are still to be given out. */
  push(chunk: Buffer): void;
  /** One message, or undefined when more bytes are needed. Throws FramingError, and then the connection is over. */
  next(): In | undefined;
  /**
   * Looks for the next message in a part of what has arrived, for decoders whose search may take long. False: it has not looked at
   * everything, and is asked again in a later turn, before `next`, so that other connections get theirs. `next` by itself searches
   * everything.
   */
  search?(): boolean;
  /** The peer has finished: a last message, or throws for one that was cut off. Without it, a rest at the end is an error. */
  end?(): In | undefined;
  /**
   * Bytes taken in that belong to a message not given out yet. With it `messageTimeout` knows exactly when a message begins;
   * without it, one has begun when bytes arrived and gave no message.
   */
  readonly pending?: number;
  /** Returns the bytes taken in and not given out, a header already read included. Called once; the decoder is dropped afterwards. */
  rest(): Buffer;
}
