import { ConfigurationError } from '../errors.js';

const CHANNEL = Symbol.for('packet-ts.channel');

/** One owner's face of a channel. Its subscriptions end with the owner. */
export interface Channel<T> extends AsyncIterable<T> {
  /** Hands the item to every subscriber; a slow one holds up nobody. */
  publish(item: T): void;
  /** Calls the listener for each item from now on, until it is disposed. */
  subscribe(listener: (item: T) => unknown): Disposable;
}

export interface ChannelOptions {
  /** Items kept for a slow subscriber. Default 1000. */
  buffer?: number | undefined;
  /** Beyond: forget the oldest (default), or the subscriber. */
  overflow?: 'dropOldest' | 'unsubscribe' | undefined;
}

/** What a channel token carries. */
export interface ChannelSpec {
  readonly name: string;
  readonly buffer: number;
  readonly overflow: 'dropOldest' | 'unsubscribe';
}

/** A class that serves as the injection token of a channel. It is never constructed. */
export interface ChannelToken<T> {
  // oxlint-disable-next-line typescript/no-explicit-any -- so that inject() takes it
  new (...args: any[]): Channel<T>;
}

/**
 * Declares a channel. The class that comes back is its token.
 * @throws ConfigurationError for a buffer that is no positive integer or an unknown overflow.
 * @example
 * const News = channel<Item>('news', { buffer: 1000 });
 * class Desk { constructor(@inject(News) private readonly news: Channel<Item>) {} }
 */
export function channel<T>(name: string, { buffer = 1000, overflow = 'dropOldest' }: ChannelOptions = {}): ChannelToken<T> {
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

/** What `channel()` was told, if the value is a token that it returned. */
export function channelSpecOf(token: unknown): ChannelSpec | undefined {
  return typeof token === 'function' ? (token as unknown as Record<symbol, ChannelSpec | undefined>)[CHANNEL] : undefined;
}
