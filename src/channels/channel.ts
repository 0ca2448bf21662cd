import { channelSpecOf } from '../blueprint/index.js';
import type { Channel, ChannelSpec } from '../decorators/injection/channel-types.js';
import type { Ctor } from '../blueprint/types.js';
import { currentContext } from '../async-context.js';
import { publish } from '../diagnostics.js';
import { asError, UsageError } from '../errors.js';
import type { ChannelCarrier } from './carrier.js';
import { ItemQueue } from './item-queue.js';

/** One subscriber: what it is behind with, and whether it is at it. */
class Subscription implements Disposable {
  readonly #app: string;
  readonly #spec: ChannelSpec;
  readonly #listener: (item: unknown) => unknown;
  readonly #ended: (subscription: Subscription) => void;
  #backlog: unknown[] | undefined;
  /** The async context of the subscriber: handlers run in it, not in the publisher's. */
  readonly #context = currentContext();
  #busy = false;
  #open = true;

  constructor(app: string, spec: ChannelSpec, listener: (item: unknown) => unknown, ended: (subscription: Subscription) => void) {
    this.#app = app;
    this.#spec = spec;
    this.#listener = listener;
    this.#ended = ended;
  }

  /** Hands an item over, or keeps it until the subscriber has finished with the one before. */
  offer(item: unknown): void {
    if (!this.#open) return;
    if (!this.#busy) {
      this.#hand(item);
      return;
    }
    const backlog = (this.#backlog ??= []);
    if (backlog.length >= this.#spec.buffer) {
      if (this.#spec.overflow === 'unsubscribe') {
        this[Symbol.dispose]();
        return;
      }
      backlog.shift();
    }
    backlog.push(item);
  }

  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    this.#backlog = undefined;
    this.#ended(this);
  }

  #hand(item: unknown): void {
    try {
      const outcome = this.#context.runInAsyncScope(this.#listener, undefined, item);
      if (typeof outcome !== 'object' || outcome === null || !('then' in outcome)) return;
      this.#busy = true;
      Promise.resolve(outcome as PromiseLike<unknown>)
        .catch(this.#failed)
        .finally(() => this.#next());
    } catch (error) {
      this.#failed(error);
    }
  }

  #next(): void {
    this.#busy = false;
    while (this.#open && !this.#busy && this.#backlog && this.#backlog.length > 0) this.#hand(this.#backlog.shift());
  }

  readonly #failed = (error: unknown): void =>
    publish('hook.error', { app: this.#app, hook: `subscribe of channel '${this.#spec.name}'`, error: asError(error) });
}

/** All subscribers of one channel in this process. */
class Hub {
  readonly spec: ChannelSpec;
  readonly #app: string;
  readonly #subscriptions = new Set<Subscription>();
  readonly #carrier: () => ChannelCarrier | undefined;

  constructor(app: string, spec: ChannelSpec, carrier: () => ChannelCarrier | undefined) {
    this.#app = app;
    this.spec = spec;
    this.#carrier = carrier;
  }

  /** Something subscribes here. */
  get isWanted(): boolean {
    return this.#subscriptions.size > 0;
  }

  publish(item: unknown): void {
    if (this.spec.scope !== 'process') this.#carrier()?.publish(this.spec, item);
    this.deliver(item);
  }

  /** To subscribers of this process only. */
  deliver(item: unknown): void {
    // A subscription made by a handler hears the next item first.
    for (const subscription of [...this.#subscriptions]) subscription.offer(item);
  }

  subscribe(listener: (item: unknown) => unknown): Disposable {
    const subscription = new Subscription(this.#app, this.spec, listener, ended => {
      this.#subscriptions.delete(ended);
      if (this.#subscriptions.size === 0) this.#want(false);
    });
    if (this.#subscriptions.size === 0) this.#want(true);
    this.#subscriptions.add(subscription);
    return subscription;
  }

  #want(isWanted: boolean): void {
    if (this.spec.scope !== 'process') this.#carrier()?.want(this.spec, isWanted);
  }
}

/** One owner's face of a channel. */
export class ChannelFace<T> implements Channel<T>, Disposable {
  readonly #hub: Hub;
  readonly #owned = new Set<Disposable>();
  #open = true;

  constructor(hub: Hub) {
    this.#hub = hub;
  }

  publish(item: T): void {
    this.#hub.publish(item);
  }

  subscribe(listener: (item: T) => unknown): Disposable {
    if (!this.#open) throw new UsageError(`the subscriber of the channel '${this.#hub.spec.name}' has ended`);
    // The token's type says what is published on it.
    const subscription = this.#hub.subscribe(listener as (item: unknown) => unknown);
    const owned: Disposable = {
      [Symbol.dispose]: () => {
        this.#owned.delete(owned);
        subscription[Symbol.dispose]();
      },
    };
    this.#owned.add(owned);
    return owned;
  }

  /** Items from now on; what the loop is behind with is bounded like any subscriber's. Ends with the owner. */
  [Symbol.asyncIterator](): AsyncIterator<T> {
    const { buffer, overflow } = this.#hub.spec;
    const items = new ItemQueue<T>(() => {
      this.#owned.delete(ending);
      subscription[Symbol.dispose]();
    });
    const subscription = this.subscribe(item => {
      if (items.length < buffer) items.put(item);
      else if (overflow === 'unsubscribe') items.end();
      else {
        items.dropOldest();
        items.put(item);
      }
    });
    const ending: Disposable = { [Symbol.dispose]: () => items.end() };
    this.#owned.add(ending);
    return items;
  }

  /** Its owner has ended, and with it every subscription. */
  [Symbol.dispose](): void {
    this.#open = false;
    for (const owned of [...this.#owned]) owned[Symbol.dispose]();
    this.#owned.clear();
  }
}

/** The channels of one process, by token. */
export class Channels {
  readonly #app: string;
  readonly #hubs = new Map<Ctor, Hub>();
  #carrier: ChannelCarrier | undefined;

  /** @param app the application, for events */
  constructor(app = '') {
    this.#app = app;
  }

  /** Connects other processes. */
  connect(carrier: ChannelCarrier): void {
    this.#carrier = carrier;
    for (const { spec, isWanted } of this.#hubs.values()) if (isWanted && spec.scope !== 'process') carrier.want(spec, true);
  }

  /** An item that was published in another process. */
  deliver(name: string, item: unknown): void {
    for (const hub of this.#hubs.values()) if (hub.spec.name === name && hub.spec.scope !== 'process') hub.deliver(item);
  }

  /** A face for one owner: dispose it when the owner ends. Throws UsageError for what is no channel token. */
  face(token: Ctor): ChannelFace<unknown> {
    return new ChannelFace(this.#hub(token));
  }

  /** Calls the listener for each item until it is disposed. */
  subscribe(token: Ctor, listener: (item: unknown) => unknown): Disposable {
    return this.#hub(token).subscribe(listener);
  }

  #hub(token: Ctor): Hub {
    let hub = this.#hubs.get(token);
    if (!hub) {
      const spec = channelSpecOf(token);
      if (!spec) throw new UsageError(`${token.name} is no channel: use what channel('name') returned`);
      this.#hubs.set(token, (hub = new Hub(this.#app, spec, () => this.#carrier)));
    }
    return hub;
  }
}
