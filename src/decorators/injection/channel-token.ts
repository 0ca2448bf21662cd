import { anything, checkGiven } from '../../option-rules.js';
import { ConfigurationError } from '../../errors.js';
import type { ChannelOptions, ChannelSpec, ChannelToken } from './channel-types.js';

export type { Channel, ChannelOptions, ChannelSpec, ChannelToken } from './channel-types.js';

const CHANNEL = Symbol.for('packet-ts.channel');

/**
 * Declares a channel. The class that comes back is its token.
 * @throws ConfigurationError for a buffer that is no positive integer or an unknown overflow.
 * @example
 * const News = channel<Item>('news', { buffer: 1000 });
 * class Desk { constructor(@inject(News) private readonly news: Channel<Item>) {} }
 */
export function channel<T>(name: string, options: ChannelOptions = {}): ChannelToken<T> {
  checkGiven(`channel('${name}')`, options, { buffer: anything, overflow: anything });
  const { buffer = 1000, overflow = 'dropOldest' } = options;
  const refuse = (wrong: string, remedy: string): never => {
    throw new ConfigurationError([{ where: `channel('${name}')`, wrong, remedy }]);
  };
  if (!Number.isSafeInteger(buffer) || buffer < 1)
    refuse(`buffer is ${String(buffer)}`, 'write how many items a slow subscriber may be behind, 1 or more');
  if (overflow !== 'dropOldest' && overflow !== 'unsubscribe')
    refuse(`overflow is ${String(overflow)}`, `write 'dropOldest' or 'unsubscribe'`);
  class Token {
    constructor() {
      refuse('a channel was constructed', `inject it: @inject(…) in a class that the application's container builds`);
    }
  }
  const spec: ChannelSpec = Object.freeze({ name, buffer, overflow });
  Object.defineProperty(Token, CHANNEL, { value: spec });
  Object.defineProperty(Token, 'name', { value: `Channel(${name})` });
  // A token only looks like the class of its face: the container answers it with a face of its own.
  return Token as unknown as ChannelToken<T>;
}

/** The arguments of `channel()`, if the value is a token that it returned. */
export function channelSpecOf(token: unknown): ChannelSpec | undefined {
  return typeof token === 'function' ? (token as unknown as Record<symbol, ChannelSpec | undefined>)[CHANNEL] : undefined;
}
