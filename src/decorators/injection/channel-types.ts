/** One owner's face of a channel. Its subscriptions end with the owner. */
export interface Channel<T> extends AsyncIterable<T> {
  /**
   * Hands the item to every subscriber; a slow subscriber does not delay the others.
   * @throws NotCloneableError naming the path, for an item that cannot leave the process, where the channel's `scope` is wider.
   */
  publish(item: T): void;
  /** Calls the listener for each item from now on, until it is disposed. */
  subscribe(listener: (item: T) => unknown): Disposable;
}

/** Options of `channel()`: how much is kept for a slow subscriber, and how far items go. */
export interface ChannelOptions {
  /** Items kept for a slow subscriber. Default 1000. */
  buffer?: number | undefined;
  /** Beyond: forget the oldest (default), or the subscriber. */
  overflow?: 'dropOldest' | 'unsubscribe' | undefined;
  /**
   * How far items go: `'process'` (default), `'application'`: the master and all processes of its workers, `'mesh'`: all machines, too.
   * Beyond the process they are copies, delivered at most once, in order per publisher; loss is told by the event `channel.lost`.
   */
  scope?: 'process' | 'application' | 'mesh' | undefined;
}

/** Contents of a channel token. */
export interface ChannelSpec {
  readonly name: string;
  readonly buffer: number;
  readonly overflow: 'dropOldest' | 'unsubscribe';
  readonly scope: 'process' | 'application' | 'mesh';
}

/** A class that serves as the injection token of a channel. It is never constructed. */
export interface ChannelToken<T> {
  // oxlint-disable-next-line typescript/no-explicit-any -- so that inject() takes it
  new (...args: any[]): Channel<T>;
}
