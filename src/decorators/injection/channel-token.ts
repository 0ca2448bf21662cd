import { anything, checkGiven } from '../../option-rules.js';
import { ConfigurationError } from '../../errors.js';
import type { ChannelOptions, ChannelSpec, ChannelToken } from './channel-types.js';

export type { Channel, ChannelOptions, ChannelSpec, ChannelToken } from './channel-types.js';

const CHANNEL = Symbol.for('packet-ts.channel');
/** Characters of the name of a channel that reaches other processes. */
const MOST_NAME = 256;

/**
 * Declares a channel. The class that comes back is its token.
 * @throws ConfigurationError for a buffer that is no positive integer, or an unknown overflow or scope.
 * @example
 * const News = channel<Item>('news', { buffer: 1000 });
 * class Desk { constructor(@inject(News) private readonly news: Channel<Item>) {} }
 */
export function channel<T>(name: string, options: ChannelOptions = {}): ChannelToken<T> {
  checkGiven(`channel('${name}')`, options, { buffer: anything, overflow: anything, scope: anything });
  const { buffer = 1000, overflow = 'dropOldest', scope = 'process' } = options;
  const refuse = (wrong: string, remedy: string): never => {
    throw new ConfigurationError([{ where: `channel('${name}')`, wrong, remedy }]);
  };
  if (!Number.isSafeInteger(buffer) || buffer < 1)
    refuse(`buffer is ${String(buffer)}`, 'write how many items a slow subscriber may be behind, 1 or more');
  if (overflow !== 'dropOldest' && overflow !== 'unsubscribe')
    refuse(`overflow is ${String(overflow)}`, `write 'dropOldest' or 'unsubscribe'`);
  if (!['process', 'application', 'mesh'].includes(scope))
    refuse(`scope is ${scope as string}`, `write 'process', 'application' or 'mesh'`);
  if (scope !== 'process' && (typeof name !== 'string' || name === '' || name.length > MOST_NAME))
    refuse('its name is empty, or too long', `other processes know it by its name: write one of 1 to ${MOST_NAME} characters`);
  class Token {
    constructor() {
      refuse('a channel was constructed', `inject it: @inject(…) in a class that the application's container builds`);
    }
  }
  const spec: ChannelSpec = Object.freeze({ name, buffer, overflow, scope });
  Object.defineProperty(Token, CHANNEL, { value: spec });
  Object.defineProperty(Token, 'name', { value: `Channel(${name})` });
  // A token only looks like the class of its face: the container answers it with a face of its own.
  return Token as unknown as ChannelToken<T>;
}

/** The arguments of `channel()`, if the value is a token that it returned. */
export function channelSpecOf(token: unknown): ChannelSpec | undefined {
  return typeof token === 'function' ? (token as unknown as Record<symbol, ChannelSpec | undefined>)[CHANNEL] : undefined;
}
