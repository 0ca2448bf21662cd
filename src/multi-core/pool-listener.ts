import { answerApart, requestsOf, schemeOf } from '../blueprint/index.js';
import type { ConnectionBlueprint, Ctor, EndpointBlueprint } from '../blueprint/types.js';
import type { Clock } from '../clock.js';
import { publish } from '../diagnostics.js';
import { schemeNamed, type Arrival, type BoundAddress, type EndpointTarget, type Remote, type Transport } from '../endpoints/endpoint.js';
import { PassedArrival } from '../endpoints/passing/passed-socket.js';
import { bindShared, type SharedSocket } from '../endpoints/passing/shared-socket.js';
import { LimitError, ProtocolError, UsageError } from '../errors.js';
import { raw } from '../framing/raw.js';
import type { SocketHandle } from '../hosts/host.js';
import { MAX_DELAY } from '../units.js';
import { encodeValue } from '../wire/codec/codec.js';
import type { ListenPlan } from '../wire/link/protocol.js';
import type { PoolListener, MovedConnection } from '../workers/sockets/pool-listener-types.js';
import type { Pool } from '../workers/pool/pool.js';
import type { SocketLedger } from '../workers/sockets/socket-ledger.js';
import { Admission } from '../reactor/listen/admission.js';
import { readCertificate } from '../reactor/listen/certificate.js';
import { resolveLimits, type ConnectionLimits } from '../session/limits.js';
import { Listener, type ListenerSettings } from '../reactor/listen/listener.js';
import { clearInterval, setInterval } from '../system-timers.js';

type Inside = Pick<ConnectionBlueprint, 'cls' | 'name' | 'options' | 'framing' | 'listen' | 'routes' | 'hooks'>;

/** One listening endpoint of a class inside the worker. */
interface PoolEndpoint {
  readonly connection: number;
  readonly index: number;
  readonly endpoint: EndpointBlueprint;
  /** Accepts here and deals. */
  listener?: Listener;
  /** Is bound here, and accepted from there. */
  shared?: SharedSocket;
  /** The endpoint already bound to the same host:port; connections for this one arrive there. */
  sharedWith?: PoolEndpoint;
}

/** Address rules that the master must not apply with proxyProtocol: only the worker reads the PROXY header. */
const OF_THE_CLIENT = { proxyProtocol: undefined, allow: undefined, deny: undefined, maxPerPeer: undefined };

function limitsOf({ options, framing }: Inside, endpoint: EndpointBlueprint): ConnectionLimits {
  const used = (endpoint.options['framing'] ?? framing ?? options['framing'] ?? raw()) as Parameters<typeof resolveLimits>[1];
  return resolveLimits(endpoint.options, used, schemeOf(endpoint), 'listen');
}

/** Takes the socket out of an accepted transport; undefined where it has none to pass on. */
function takenOut(transport: Transport): SocketHandle | undefined {
  const handle = transport.detach?.()?.handle;
  transport.destroy();
  return handle;
}

/**
 * The listening side of one pool: accepts the connections for its workers, and passes each to the process with fewest; or
 * lets the processes accept themselves. It counts over all of them.
 */
export class MasterPoolListener implements PoolListener {
  readonly plan: readonly (readonly ListenPlan[])[];
  readonly #pool: Pool;
  readonly #clock: Clock;
  readonly #inside: readonly Inside[];
  readonly #inline: boolean;
  /** Processes accept from a shared socket, and the kernel spreads connections; false where all workers run in this process. */
  readonly #shares: boolean;
  readonly #entries: readonly PoolEndpoint[];
  /** Admissions of classes that take handed-off connections, by class: they count those connections. */
  readonly #admissions = new Map<number, Admission>();
  /** Where processes listen by themselves. */
  readonly #own = new Map<SocketLedger, Map<string, { readonly connection: number; readonly address: BoundAddress }>>();
  /** A program whose workers listen goes on, also where nothing in this process does. */
  #alive: NodeJS.Timeout | undefined;
  #opening: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  constructor(pool: Pool, clock: Clock, inside: readonly Inside[]) {
    this.#pool = pool;
    this.#clock = clock;
    this.#inside = inside;
    this.#inline = pool.host.sharesMaster === true;
    this.#shares = pool.worker.settings.accept === 'shared' && !this.#inline;
    const entries = inside.map((each, connection) =>
      each.listen().map((endpoint, index): PoolEndpoint => ({ connection, index, endpoint })),
    );
    this.plan = entries.map(each =>
      each.map(({ endpoint }) => ({ url: endpoint.url, by: this.#comesFromHere(endpoint) ? 'master' : 'worker' })),
    );
    this.#entries = entries.flat().filter(({ endpoint }) => this.#comesFromHere(endpoint));
  }

  /** Idempotent. */
  open(): Promise<void> {
    return (this.#opening ??= this.#open());
  }

  async #open(): Promise<void> {
    if (this.plan.some(endpoints => endpoints.length > 0)) this.#alive = setInterval(() => {}, MAX_DELAY);
    try {
      for (const entry of this.#entries) {
        if (this.#closed) return;
        if (this.#sharesAddress(entry)) continue;
        if (this.#shares) await this.#share(entry);
        else await this.#listen(entry);
      }
    } catch (error) {
      await this.#release();
      throw error;
    }
  }

  /** Whether another endpoint is bound to the same address: then its connections arrive there. */
  #sharesAddress(entry: PoolEndpoint): boolean {
    const scheme = schemeNamed(schemeOf(entry.endpoint))!;
    if (this.#inline || !scheme.shares) return false;
    const carrier = scheme.carrier!(entry.endpoint.url);
    const sharedWith = this.#entries.find(({ connection, endpoint: { url }, listener, shared }) => {
      const other = schemeNamed(schemeOf({ url, options: {} }))!;
      if (!(listener ?? shared) || !other.shares || other.carrier!(url) !== carrier) return false;
      return url !== entry.endpoint.url || answerApart(this.#inside[connection]!, this.#inside[entry.connection]!);
    });
    if (sharedWith) entry.sharedWith = sharedWith;
    return sharedWith !== undefined;
  }

  onProcessReady({ sockets }: { readonly sockets: SocketLedger }): void {
    for (const entry of this.#entries) void this.#offer(sockets, entry);
  }

  onListening({ sockets }: { readonly sockets: SocketLedger }, message: unknown): void {
    const { connection, endpoint, address } = (message ?? {}) as Record<'connection' | 'endpoint' | 'address', unknown>;
    const { url, host, port, path } = (address ?? {}) as Partial<Record<keyof BoundAddress, unknown>>;
    const plan = this.plan[connection as number]?.[endpoint as number];
    const isAddress =
      typeof url === 'string' && typeof host === 'string' && typeof port === 'number' && ['string', 'undefined'].includes(typeof path);
    if (plan?.by !== 'worker' || !isAddress) throw new ProtocolError('it listens where it has nothing to listen');
    let own = this.#own.get(sockets);
    if (!own) this.#own.set(sockets, (own = new Map()));
    own.set(`${String(connection)} ${String(endpoint)}`, {
      connection: connection as number,
      address: { url, host, port, ...(typeof path === 'string' && { path }) },
    });
  }

  addresses(cls: Ctor): readonly BoundAddress[] | undefined {
    const at = this.#inside.findIndex(each => each.cls === cls);
    if (at < 0) return undefined;
    const here = this.#entries.filter(({ connection }) => connection === at).flatMap(entry => this.#addressOf(entry) ?? []);
    const alive = new Set(this.#pool.processSet.all.map(({ sockets }) => sockets));
    for (const sockets of [...this.#own.keys()]) if (!alive.has(sockets)) this.#own.delete(sockets);
    const there = [...this.#own.values()].flatMap(own => [...own.values()]).filter(({ connection }) => connection === at);
    return [...here, ...there.map(({ address }) => address)];
  }

  /** For each class that listens: its name and where. */
  *listeners(): Iterable<{ readonly name: string; readonly url: string }> {
    for (const { cls, name } of this.#inside) for (const { url } of this.addresses(cls) ?? []) yield { name, url };
  }

  /**
   * Gives a live connection to a process of the pool. Resolves when one has it; else rejects, and the handle is still the caller's.
   * @throws UsageError, LimitError, NotCloneableError, WorkerUnavailableError, WorkerNotFoundError
   */
  async move(connection: number, { handle, url, remote, rest, data }: MovedConnection): Promise<void> {
    const leave = this.#enter(connection, remote);
    try {
      await new Promise<void>((resolve, reject) => {
        const message = { how: 'move' as const, connection, endpoint: 0, url, rest, data };
        this.#pool.socketBalancer.place({ handle, message, onTaken: resolve, onFailed: reject, onClosed: leave });
      });
    } catch (error) {
      leave();
      throw error;
    }
  }

  /** Which of its classes a connection is handed off to. Throws UsageError, or what speaks against its data. */
  target(to: Ctor | undefined, data: object | undefined): number {
    const { className, settings } = this.#pool.worker;
    const at = to === undefined ? 0 : this.#inside.findIndex(({ cls }) => cls === to);
    if (to === undefined && this.#inside.length !== 1)
      throw new UsageError(
        `${className} has ${this.#inside.length} connection classes: say which one, as handOff(${className}, { to: … })`,
      );
    if (at < 0) throw new UsageError(`${to!.name} is none of the connections of ${className}: list it in its @Worker({ connections })`);
    if (this.#pool.host.listensAlone)
      throw new UsageError(`${className} runs in the runtime '${settings.runtime}', which no socket can be passed to`);
    encodeValue(data, settings.maxMessageSize, 'data');
    return at;
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#release());
  }

  async #release(): Promise<void> {
    clearInterval(this.#alive);
    await Promise.allSettled(this.#entries.map(({ listener }) => listener?.close()));
    for (const entry of this.#entries) {
      entry.shared?.close();
      delete entry.shared;
    }
  }

  /** Whether a process other than the serving one can accept for the endpoint. */
  #comesFromHere(endpoint: EndpointBlueprint): boolean {
    const scheme = schemeOf(endpoint);
    if (this.#pool.host.listensAlone) return false;
    return schemeNamed(scheme)?.carrier !== undefined || (this.#inline && scheme === 'memory');
  }

  async #listen(entry: PoolEndpoint): Promise<void> {
    const inside = this.#inside[entry.connection]!;
    const settings = this.#settings(inside, entry.endpoint);
    const listener: Listener = new Listener(settings, this.#clock, this, arrival => this.#deal(entry, listener, arrival));
    await listener.bind();
    entry.listener = listener;
    if (this.#closed) await listener.close();
  }

  /** Inline the connection itself is passed on, and everything that comes before it happens here. */
  #settings(inside: Inside, endpoint: EndpointBlueprint): ListenerSettings {
    const plan = { name: inside.name, app: this.#pool.app };
    const limits = limitsOf(inside, endpoint);
    const scheme = schemeNamed(schemeOf(endpoint))!;
    if (this.#inline) {
      const requests = scheme.serves === 'requests' ? requestsOf(inside) : undefined;
      return { plan, limits, scheme, target: { url: endpoint.url, options: endpoint.options, requests } };
    }
    const url = scheme.carrier!(endpoint.url);
    const proxied = endpoint.options['proxyProtocol'] !== undefined;
    const options = proxied ? { ...endpoint.options, ...OF_THE_CLIENT } : endpoint.options;
    if (proxied) limits.maxPerPeer = Infinity;
    const target: EndpointTarget = { url, options, unread: true };
    const shown = (address: BoundAddress): BoundAddress => this.#shown(endpoint, address);
    return { plan, limits, scheme: schemeNamed(schemeOf({ url, options }))!, target, shown };
  }

  async #share(entry: PoolEndpoint): Promise<void> {
    const { url, options } = entry.endpoint;
    await readCertificate(this.#inside[entry.connection]!.name, options);
    entry.shared = await bindShared({ url: schemeNamed(schemeOf(entry.endpoint))!.carrier!(url), options });
    const address = this.#shown(entry.endpoint, entry.shared.address);
    publish('listener.open', { app: this.#pool.app, handler: this.#inside[entry.connection]!.name, address });
    if (this.#closed) return this.#release();
    // Clients that connect now reach a process.
    await Promise.all(this.#pool.ready.map(({ sockets }) => this.#offer(sockets, entry)));
  }

  /** Resolves when the process accepts, or is dead. */
  #offer(sockets: SocketLedger, { connection, index, shared }: PoolEndpoint): Promise<void> {
    if (!shared) return Promise.resolve();
    const { handle, address } = shared;
    const message = { how: 'share' as const, connection, endpoint: index, url: address.url };
    return new Promise(resolve =>
      sockets.send({ handle, message, onTaken: resolve, onReturned: resolve, onClosed: () => {} }, this.#clock.now()),
    );
  }

  #deal({ connection, index, endpoint }: PoolEndpoint, listener: Listener, arrival: Arrival): boolean {
    const { remote } = arrival;
    const handle = this.#inline ? new PassedArrival(arrival) : takenOut(arrival as Transport);
    if (!handle) return false;
    this.#pool.socketBalancer.place({
      handle,
      message: { how: 'deal', connection, endpoint: index, url: endpoint.url },
      onTaken: () => {},
      onClosed: () => listener.onConnectionOver({ remote }),
      onFailed: error => {
        handle.close();
        listener.onConnectionOver({ remote });
        const handler = this.#inside[connection]!.name;
        publish('listener.reject', { app: this.#pool.app, handler, url: endpoint.url, reason: 'unavailable', remote, error });
      },
    });
    return true;
  }

  /** Counts a connection that is handed off, where those are counted that come in. Gives what counts it off. */
  #enter(connection: number, remote: Remote): () => void {
    const listener = this.#entries.find(entry => entry.connection === connection && entry.listener)?.listener;
    const counter = listener ?? this.#admission(connection);
    const refusal = counter.enter(remote);
    if (refusal !== undefined)
      throw new LimitError(refusal, `${this.#inside[connection]!.name} in ${this.#pool.worker.name} takes no more connections: ${refusal}`);
    return () => (listener ? listener.onConnectionOver({ remote }) : this.#admission(connection).leave(remote));
  }

  #admission(connection: number): Admission {
    let admission = this.#admissions.get(connection);
    if (!admission) {
      const inside = this.#inside[connection]!;
      const endpoint = { url: 'tcp:', options: inside.options };
      this.#admissions.set(connection, (admission = new Admission(limitsOf(inside, endpoint), inside.options)));
    }
    return admission;
  }

  /** The address as the url was written: with its own scheme and path, not the carrier's. */
  #addressOf({ endpoint, sharedWith, ...own }: PoolEndpoint): BoundAddress | undefined {
    const { listener, shared } = sharedWith ?? own;
    const address = shared?.address ?? (listener && listener.address);
    return address && this.#shown(endpoint, address);
  }

  /** The address of what carries an endpoint, as that endpoint's. */
  #shown(endpoint: EndpointBlueprint, address: BoundAddress): BoundAddress {
    const url = address.url.replace(/^[a-z]+/i, schemeOf(endpoint));
    if (this.#inline || !schemeNamed(schemeOf(endpoint))!.shares) return { ...address, url };
    const path = /^[a-z]+:\/\/[^/]*(\/.*)?$/i.exec(endpoint.url)?.[1] ?? '/';
    return { ...address, url: path === '/' ? url : url + path, path };
  }
}
