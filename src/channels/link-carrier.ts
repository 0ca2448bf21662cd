import type { ChannelSpec } from '../decorators/injection/channel-types.js';
import { publish } from '../diagnostics.js';
import { encodeValue } from '../wire/codec/codec.js';
import { Kind, UPWARD } from '../wire/link/protocol.js';
import type { Body, Link } from '../wire/link/types.js';
import { MOST_WAITING, Reach, type ChannelCarrier } from './carrier.js';
import type { Channels } from './channel.js';

/** Channels of a worker's process: to and from its master. */
export class LinkCarrier implements ChannelCarrier {
  readonly #link: Link;
  readonly #app: string;
  readonly #maxMessageSize: number;
  #channels: Channels | undefined;
  #lost = 0;

  /** @param maxMessageSize the most bytes of an item: the master ends a process that sends it more */
  constructor(link: Link, app: string, maxMessageSize: number) {
    this.#link = link;
    this.#app = app;
    this.#maxMessageSize = maxMessageSize;
  }

  connect(channels: Channels): void {
    this.#channels = channels;
    channels.connect(this);
  }

  publish({ name, scope }: ChannelSpec, item: unknown): void {
    const encoded = encodeValue([name, item], this.#maxMessageSize, 'item');
    if (this.#link.bufferedBytes > MOST_WAITING) {
      this.#lost++;
      return;
    }
    if (this.#lost > 0) publish('channel.lost', { app: this.#app, channel: name, lost: this.#lost, why: 'the master did not read' });
    this.#lost = 0;
    this.#link.sendEncoded(Kind.PUBLISH, UPWARD, scope === 'mesh' ? Reach.mesh : Reach.application, encoded);
  }

  want({ name, scope }: ChannelSpec, isWanted: boolean): void {
    const reach = scope === 'mesh' ? Reach.mesh : Reach.application;
    this.#link.sendValue(Kind.SUBSCRIBE, UPWARD, isWanted ? reach : 0, name);
  }

  /** An item that the master passes on. */
  receive(body: Body): void {
    const [name, item] = body.value() as [string, unknown];
    this.#channels?.deliver(name, item);
  }
}
