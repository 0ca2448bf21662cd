import { FramingError } from '../errors.js';

/** A message above the limit. `what` names it with its article: 'a line'; `option`: where the limit was written. */
export function tooLarge(what: string, limit: number, option = 'maxMessageSize'): FramingError {
  return new FramingError(`${what} is larger than ${limit} bytes (${option})`, { code: 'ERR_PACKET_FRAMING_TOO_LARGE' });
}

/** The peer has finished in the middle of a message. */
export function truncated(what: string, received: number): FramingError {
  return new FramingError(`the stream ended inside ${what}, after ${received} bytes of it`, { code: 'ERR_PACKET_FRAMING_TRUNCATED' });
}
