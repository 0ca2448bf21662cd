import { guard } from '../guard.js';
import type { ConnectionBlueprint, Ctor, EndpointBlueprint } from '../blueprint/types.js';
import { answerApart, schemeOf } from '../blueprint/index.js';
import type { Server } from 'node:net';
import { schemeNamed, type SocketSource } from '../endpoints/endpoint.js';
import { PassedArrival, socketOn } from '../endpoints/passing/passed-socket.js';
import { acceptFrom } from '../node-internals.js';
import { backlogOf } from '../endpoints/net/tcp.js';
import { transportFor } from '../endpoints/passing/moved-socket.js';
import type { SocketHandle } from '../hosts/host.js';
import type { ReactorCore } from '../reactor/index.js';
import type { SocketService } from '../tasks/index.js';
import type { WorkerEnvironment } from '../tasks/start/worker-environment.js';
import type { SocketMessage } from '../wire/link/protocol.js';

/** The listener of an endpoint whose sockets the master gives. */
class SocketFeed implements SocketSource {
  #server: Server | undefined;

  attach(server: Server): void {
    this.#server = server;
  }

  /** As if it had accepted it. */
  give(handle: SocketHandle, gone: () => void): void {
    const socket = socketOn(handle);
    socket.once('close', guard(socket, gone));
    this.#server!.emit('connection', socket);
  }

  /** Accepts from that listening socket. */
  acceptFrom(handle: SocketHandle, backlog: number): void {
    acceptFrom(this.#server!, handle, backlog);
  }
}

/** Which of a class's endpoints. */
type Place = Pick<SocketMessage, 'connection' | 'endpoint'>;

type Inside = Pick<ConnectionBlueprint, 'cls' | 'name' | 'options' | 'listen' | 'routes' | 'hooks'>;

/** The listening half of a worker: what the master deals, shares and hands off to it, and what it listens on by itself. */
export class WorkerListeners implements SocketService {
  readonly #core: ReactorCore;
  readonly #environment: WorkerEnvironment;
  readonly #connections: readonly Inside[];
  /** Its own reading of its endpoints; where they are is the master's word. */
  readonly #endpoints: readonly (readonly EndpointBlueprint[])[];
  readonly #feeds = new Map<string, Promise<SocketFeed>>();
  /** Listening sockets that other processes accept from, too. */
  readonly #shared: SocketHandle[] = [];

  constructor(core: ReactorCore, environment: WorkerEnvironment, connections: readonly Inside[]) {
    this.#core = core;
    this.#environment = environment;
    this.#connections = connections;
    const { listen } = environment.boot;
    this.#endpoints = connections.map((connection, index) => {
      const own = connection.listen();
      const urls = listen?.[index]?.map(({ url }) => url) ?? own.map(({ url }) => url);
      return urls.map((url, at) => ({ url, options: own[at]?.options ?? connection.options }));
    });
  }

  /** Listens on endpoints that no other process can bind. Rejects with a ListenError. */
  async open(): Promise<void> {
    const { listen } = this.#environment.boot;
    for (const [connection, { cls }] of this.#connections.entries()) {
      for (const [at, endpoint] of this.#endpoints[connection]!.entries()) {
        if (listen && listen[connection]?.[at]?.by !== 'worker') continue;
        const { address } = await this.#core.listen(cls, endpoint);
        this.#environment.reportListening({ connection, endpoint: at, address });
      }
    }
  }

  serve(message: SocketMessage, handle: SocketHandle, gone: () => void): void {
    const { how, connection } = message;
    const { cls } = this.#connections[connection]!;
    if (how === 'move' || handle instanceof PassedArrival) return this.#adopt(cls, message, handle, gone);
    this.#feedsAt(message, true).then(
      feed => feed.give(handle, gone),
      (error: unknown) => {
        this.#environment.onUncaughtError(error);
        handle.close();
        gone();
      },
    );
  }

  async accept(message: SocketMessage, handle: SocketHandle): Promise<void> {
    try {
      const feed = await this.#feedsAt(message, false);
      this.#shared.push(handle);
      feed.acceptFrom(handle, backlogOf(this.#endpointOf(message).options));
    } catch (error) {
      this.#environment.onUncaughtError(error);
      handle.close();
    }
  }

  async handOver(): Promise<void> {
    for (const handle of this.#shared.splice(0)) handle.close();
    await this.#core.handOver();
  }

  stopListening(): Promise<void> {
    return this.#core.closeListeners();
  }

  async shutDown(): Promise<void> {
    await this.#core.stopListening();
    await this.#core.drain();
  }

  /** Without a listener: what there was to accept is accepted. */
  #adopt(cls: Ctor, message: SocketMessage, handle: SocketHandle, gone: () => void): void {
    const { how, data, rest, url } = message;
    const arrival = handle instanceof PassedArrival ? handle.arrival : transportFor(url, socketOn(handle), rest);
    const endpoint = how === 'move' ? { url, options: this.#moveOptions(message) } : this.#endpointOf(message);
    if (!this.#core.adopt(cls, endpoint, arrival, { onConnectionOver: gone, admits: () => true }, data)) gone();
  }

  /** Those of the class's first endpoint for that kind of socket, else of the class. */
  #moveOptions({ connection, url }: SocketMessage): EndpointBlueprint['options'] {
    const scheme = url.replace(/:.*$/s, '');
    const alike = this.#endpoints[connection]!.find(endpoint => schemeOf(endpoint) === scheme);
    return alike?.options ?? this.#connections[connection]!.options;
  }

  #endpointOf({ connection, endpoint }: Place): EndpointBlueprint {
    return this.#endpoints[connection]![endpoint]!;
  }

  async #open(place: Place, counts: boolean): Promise<SocketFeed> {
    const feed = new SocketFeed();
    await this.#core.listenTo(feed, this.#connections[place.connection]!.cls, this.#endpointOf(place), counts);
    return feed;
  }

  /** The feed of an endpoint, when all that share its address have theirs. */
  async #feedsAt(place: Place, counts: boolean): Promise<SocketFeed> {
    const [feed] = await Promise.all([this.#feed(place, counts), ...[...this.#sharing(place)].map(other => this.#feed(other, counts))]);
    return feed;
  }

  /** Endpoints at the same address: what comes in there may be for them. */
  *#sharing({ connection, endpoint }: Place): Iterable<Place> {
    const { url } = this.#endpoints[connection]![endpoint]!;
    const scheme = schemeNamed(schemeOf({ url, options: {} }))!;
    if (!scheme.shares) return;
    const carrier = scheme.carrier!(url);
    for (const [at, endpoints] of this.#endpoints.entries()) {
      for (const [index, other] of endpoints.entries()) {
        const { shares, carrier: carrierOf } = schemeNamed(schemeOf(other))!;
        if (!shares || carrierOf!(other.url) !== carrier || (at === connection && index === endpoint)) continue;
        const isApart = other.url !== url || answerApart(this.#connections[at]!, this.#connections[connection]!);
        if (isApart) yield { connection: at, endpoint: index };
      }
    }
  }

  #feed(message: Place, counts: boolean): Promise<SocketFeed> {
    const key = `${message.connection} ${message.endpoint}`;
    let feed = this.#feeds.get(key);
    if (!feed) {
      feed = this.#open(message, counts);
      this.#feeds.set(key, feed);
    }
    return feed;
  }
}
