import type { ChannelSpec } from '../decorators/injection/channel-types.js';
import { publish } from '../diagnostics.js';
import { asError, ProtocolError } from '../errors.js';
import { encodeValue } from '../wire/codec/codec.js';
import { Kind, UPWARD } from '../wire/link/protocol.js';
import type { Body, Encoded, Link } from '../wire/link/types.js';
import { MOST_CHANNEL_NAME, MOST_WAITING, Reach, type ChannelCarrier } from './carrier.js';
import type { Channels } from './channel.js';

/** Channels that one process may subscribe to. */
const MOST_CHANNELS = 1_000;

/** Other machines, as far as channels are concerned. */
export interface ChannelMesh {
  /** Throws MessageTooLargeError for what one message of the mesh cannot hold, LimitError for one channel too many. */
  publish(name: string, encoded: Encoded): void;
  /** Items of that name are wanted here from now on. */
  want(name: string): void;
}

/** One worker's process: what it wants, and what it did not read in time. */
export class ChannelPort {
  readonly wanted = new Set<string>();
  readonly #link: Link;
  readonly #router: ChannelRouter;
  /** Items that it did not read in time and was not told of, by channel. */
  readonly #lost = new Map<string, number>();

  constructor(link: Link, router: ChannelRouter) {
    this.#link = link;
    this.#router = router;
  }

  /** Whatever the process says about channels. */
  message(kind: number, arg: number, body: Body): void {
    const value = body.value();
    if (kind === Kind.PUBLISH) {
      if (!isItem(value) || (arg !== Reach.application && arg !== Reach.mesh)) throw new ProtocolError('an item of no channel');
      return this.#router.route(value[0], value[1], body.take(), arg === Reach.mesh, this);
    }
    if (typeof value !== 'string' || value.length > MOST_CHANNEL_NAME) throw new ProtocolError('a subscription to no channel');
    if (arg === 0) this.wanted.delete(value);
    else if (this.wanted.size >= MOST_CHANNELS) throw new ProtocolError(`it subscribes to more than ${MOST_CHANNELS} channels`);
    else {
      this.wanted.add(value);
      if (arg === Reach.mesh) this.#router.wanted(value);
    }
  }

  send(name: string, encoded: Encoded): void {
    if (!this.wanted.has(name)) return;
    if (this.#link.bufferedBytes > MOST_WAITING) return void this.#lost.set(name, (this.#lost.get(name) ?? 0) + 1);
    this.#tell();
    this.#link.sendEncoded(Kind.PUBLISH, UPWARD, 0, encoded);
  }

  close(): void {
    this.#tell();
    this.#router.remove(this);
  }

  #tell(): void {
    for (const [channel, lost] of this.#lost)
      publish('channel.lost', { app: this.#router.app, channel, lost, why: "a worker's process did not read" });
    this.#lost.clear();
  }
}

function isItem(value: unknown): value is [string, unknown] {
  return Array.isArray(value) && value.length === 2 && typeof value[0] === 'string' && value[0].length <= MOST_CHANNEL_NAME;
}

/**
 * Passes items of channels on between the master, its workers' processes, and other machines. No process gets an item twice, or its own
 * back.
 */
export class ChannelRouter implements ChannelCarrier {
  readonly app: string;
  readonly #channels: Channels;
  readonly #ports = new Set<ChannelPort>();
  readonly #everWanted = new Set<string>();
  #mesh: ChannelMesh | undefined;

  constructor(app: string, channels: Channels) {
    this.app = app;
    this.#channels = channels;
    channels.connect(this);
  }

  /** A worker's process. */
  attach(link: Link): ChannelPort {
    const port = new ChannelPort(link, this);
    this.#ports.add(port);
    return port;
  }

  remove(port: ChannelPort): void {
    this.#ports.delete(port);
  }

  /** Connects other machines. */
  connectMesh(mesh: ChannelMesh): void {
    this.#mesh = mesh;
    for (const name of this.#everWanted) mesh.want(name);
  }

  publish({ name, scope }: ChannelSpec, item: unknown): void {
    const encoded = encodeValue([name, item], 0, 'item');
    if (scope === 'mesh') this.#mesh?.publish(name, encoded);
    for (const port of this.#ports) port.send(name, encoded);
  }

  want({ name, scope }: ChannelSpec, isWanted: boolean): void {
    if (isWanted && scope === 'mesh') this.wanted(name);
  }

  /** Some process of this application wants items of other machines. */
  wanted(name: string): void {
    if (this.#everWanted.has(name) || this.#everWanted.size >= MOST_CHANNELS) return;
    this.#everWanted.add(name);
    this.#mesh?.want(name);
  }

  /** An item of a worker's process: for all others. */
  route(name: string, item: unknown, encoded: Encoded, isForMesh: boolean, from: ChannelPort): void {
    this.#channels.deliver(name, item);
    for (const port of this.#ports) if (port !== from) port.send(name, encoded);
    if (isForMesh) this.#toMesh(name, encoded);
  }

  /** Passes on what a worker has published: what the mesh cannot take is lost there, and no offence of its process. */
  #toMesh(name: string, encoded: Encoded): void {
    try {
      this.#mesh?.publish(name, encoded);
    } catch (error) {
      publish('channel.lost', { app: this.app, channel: name, lost: 1, why: asError(error).message });
    }
  }

  /** An item of another machine. */
  arrived(name: string, item: unknown, encoded: Encoded): void {
    this.#channels.deliver(name, item);
    for (const port of this.#ports) port.send(name, encoded);
  }
}
