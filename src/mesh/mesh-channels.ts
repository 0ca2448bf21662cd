import { Buffer } from 'node:buffer';
import type { ChannelMesh, ChannelRouter } from '../channels/channel-router.js';
import { publish } from '../diagnostics.js';
import { asError, LimitError, MessageTooLargeError } from '../errors.js';
import { decodeReceived } from '../wire/codec/codec.js';
import type { Encoded } from '../wire/link/types.js';
import type { MeshNode } from './link/mesh-node.js';
import type { MeshMessage } from './mesh-types.js';

/** Bytes of the publisher's id and of its count before an item. */
const ID = 16;
const HEADER = ID + 4;
/** Publishers whose counts are kept. */
const MOST_PUBLISHERS = 10_000;
/** Channels that one application publishes on: a worker may name any. */
const MOST_PUBLISHED = 10_000;

/** Bytes that were published and that the server has not taken: what is published beyond them is lost, and counted. */
const MOST_PENDING = 8 * 1024 * 1024;
/** Bytes after which the server is asked whether it has taken them. */
const ASK_EVERY = 256 * 1024;

/** Items of channels between machines: at most once, in order per publisher; what is missing is counted and told. */
export class MeshChannels implements ChannelMesh {
  readonly #node: MeshNode;
  readonly #router: ChannelRouter;
  readonly #id: Buffer;
  /** Items published, by channel. */
  readonly #sent = new Map<string, number>();
  #pending = 0;
  #isAsking = false;
  /** Count of the last item, by publisher and channel. */
  readonly #received = new Map<string, number>();

  constructor(node: MeshNode, router: ChannelRouter) {
    this.#node = node;
    this.#router = router;
    this.#id = Buffer.from(node.id.padEnd(ID).slice(0, ID));
    router.connectMesh(this);
  }

  publish(name: string, encoded: Encoded): void {
    const { connection, subjects } = this.#node;
    const most = connection.maxPayload - HEADER - 256;
    if (encoded.length > most) throw new MessageTooLargeError(`an item of channel '${name}'`, most, 'what a message of the mesh holds');
    const before = this.#sent.get(name);
    if (before === undefined && this.#sent.size >= MOST_PUBLISHED)
      throw new LimitError('channels', `channel '${name}': items are published on ${MOST_PUBLISHED} channels of the mesh already`);
    const count = ((before ?? 0) + 1) >>> 0;
    this.#sent.set(name, count);
    // The gap in the count tells subscribers.
    if (this.#pending > MOST_PENDING) return;
    const header = Buffer.alloc(HEADER);
    this.#id.copy(header);
    header.writeUInt32LE(count, ID);
    this.#node.publish(subjects.channel(name), Buffer.concat([header, encoded]));
    this.#pending += encoded.length;
    if (this.#pending >= ASK_EVERY && !this.#isAsking) void this.#ask();
  }

  /** Waits until the server has taken what was published so far. */
  async #ask(): Promise<void> {
    this.#isAsking = true;
    const asked = this.#pending;
    // A connection that broke has lost it, and keeps nothing.
    await this.#node.connection.flush().catch(() => {});
    this.#isAsking = false;
    this.#pending -= asked;
    if (this.#pending >= ASK_EVERY) void this.#ask();
  }

  want(name: string): void {
    this.#node
      .subscribe(this.#node.subjects.channel(name), message => this.#receive(name, message))
      .catch((error: unknown) => publish('mesh.error', { channel: name, error: asError(error) }));
  }

  #receive(name: string, { data }: MeshMessage): void {
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    if (bytes.length < HEADER || bytes.subarray(0, ID).equals(this.#id)) return;
    this.#count(name, bytes);
    const encoded = bytes.subarray(HEADER);
    const pair = decodeReceived(encoded);
    if (Array.isArray(pair) && pair.length === 2 && pair[0] === name) this.#router.arrived(name, pair[1], encoded);
  }

  #count(name: string, bytes: Buffer): void {
    const publisher = `${bytes.toString('latin1', 0, ID)} ${name}`;
    const count = bytes.readUInt32LE(ID);
    const before = this.#received.get(publisher);
    // Items published before the subscription are not missing.
    const lost = before === undefined ? 0 : (count - before - 1) | 0;
    if (this.#received.size >= MOST_PUBLISHERS) this.#received.clear();
    this.#received.set(publisher, count);
    if (lost > 0) publish('channel.lost', { app: this.#router.app, channel: name, lost, why: 'the mesh did not deliver' });
  }
}
