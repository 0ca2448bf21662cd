import { Buffer } from 'node:buffer';
import type { Authenticator, Msg, NatsConnection, NodeConnectionOptions } from '@nats-io/transport-node';
import { publish as tell } from '../diagnostics.js';
import { asError, MeshError } from '../errors.js';
import { setImmediate } from '../system-timers.js';
import type { MeshConnection, MeshMessage, MeshSubscription } from '../mesh/mesh-types.js';
import { tokenOf } from '../mesh/subjects.js';

/** The client library, loaded. */
export type NatsClient = typeof import('@nats-io/transport-node');

/** How one connection is made. */
export interface NatsConnectionOptions {
  readonly servers: string[];
  readonly namespace: string;
  readonly user: string;
  readonly tls: NonNullable<NodeConnectionOptions['tls']> | undefined;
  readonly authenticator: Authenticator | undefined;
}

/** Status in the header of the message by which the server says that nothing received. */
const NO_RECEIVER = 503;
/** Milliseconds between two tries to connect again: they double from the first to the second, with as much jitter. */
const RETRY = { least: 100, most: 2_000 } as const;
/** Refusals that are remembered at most. */
const MOST_REFUSED = 1_000;

/** One connection to a cluster of NATS servers. It is made again for as long as the application wants it. */
export class NatsMeshConnection implements MeshConnection {
  readonly namespace: string;
  readonly user: string;
  readonly #client: NatsClient;
  #nats!: NatsConnection;
  readonly #listeners: ((isUp: boolean) => void)[] = [];
  readonly #refused = new Set<string>();
  #isUp = true;
  #isClosed = false;
  #retries = 0;

  private constructor(client: NatsClient, { namespace, user }: NatsConnectionOptions) {
    this.#client = client;
    this.namespace = namespace;
    this.user = user;
  }

  /** @throws MeshError when no server can be reached, or they refuse this client. */
  static async open(client: NatsClient, options: NatsConnectionOptions): Promise<NatsMeshConnection> {
    const { servers, user, tls, authenticator } = options;
    const connection = new NatsMeshConnection(client, options);
    try {
      connection.#nats = await client.connect({
        servers,
        name: `packet-ts ${user}`,
        inboxPrefix: `_INBOX_${tokenOf(user)}`,
        maxReconnectAttempts: -1,
        reconnectDelayHandler: () => connection.#delay(),
        pingInterval: 10_000,
        maxPingOut: 2,
        timeout: 5_000,
        noAsyncTraces: true,
        ignoreAuthErrorAbort: true,
        ...(tls && { tls }),
        ...(authenticator && { authenticator }),
      });
    } catch (error) {
      throw connection.#unreachable(asError(error), servers);
    }
    void connection.#watch();
    return connection;
  }

  get maxPayload(): number {
    return this.#nats.info?.max_payload ?? 1024 * 1024;
  }

  get isUp(): boolean {
    return this.#isUp && !this.#isClosed;
  }

  publish(subject: string, data: Uint8Array, reply?: string): void {
    if (!this.isUp) return;
    try {
      this.#nats.publish(subject, data, reply === undefined ? undefined : { reply });
    } catch (error) {
      tell('mesh.error', { subject, error: asError(error) });
    }
  }

  isRefused(subject: string): boolean {
    return this.#refused.has(subject);
  }

  async subscribe(subject: string, onMessage: (message: MeshMessage) => void): Promise<MeshSubscription> {
    let refusal: Error | undefined;
    const subscription = this.#nats.subscribe(subject, {
      callback: (error, message) => {
        if (error) refusal ??= error;
        else onMessage(messageOf(message));
      },
    });
    await this.flush();
    if (refusal || subscription.isClosed())
      throw new MeshError(`the server does not let ${this.user} subscribe to ${subject}`, {
        reason: 'permission',
        subject,
        cause: refusal,
      });
    return { close: () => subscription.unsubscribe() };
  }

  async flush(): Promise<void> {
    if (!this.isUp) throw new MeshError('the server cannot be reached', { reason: 'unreachable' });
    await this.#nats.flush();
    // Refusals that came before the answer are told in a turn of their own.
    await new Promise<void>(resolve => setImmediate(resolve));
  }

  onStatus(listener: (isUp: boolean) => void): void {
    this.#listeners.push(listener);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    const isUp = this.#isUp;
    this.#isClosed = true;
    try {
      // Without a server there is nothing to wait for.
      if (isUp) await this.#nats.flush();
    } catch {
      // The connection broke meanwhile.
    }
    await this.#nats.close().catch(() => {});
  }

  #delay(): number {
    const delay = Math.min(RETRY.most, RETRY.least * 2 ** this.#retries++);
    return delay / 2 + (Math.random() * delay) / 2;
  }

  async #watch(): Promise<void> {
    for await (const status of this.#nats.status()) {
      if (status.type === 'disconnect') this.#setUp(false);
      else if (status.type === 'reconnect') {
        this.#retries = 0;
        this.#setUp(true);
      } else if (status.type === 'error') this.#failed(status.error);
      else if (status.type === 'close') this.#setUp(false);
    }
  }

  #setUp(isUp: boolean): void {
    if (this.#isClosed || this.#isUp === isUp) return;
    this.#isUp = isUp;
    for (const listener of this.#listeners) listener(isUp);
  }

  #failed(error: Error): void {
    if (error instanceof this.#client.PermissionViolationError && error.operation === 'publish') {
      // Each session has a subject of its own: a refused one is asked for soon, or never.
      if (this.#refused.size >= MOST_REFUSED) this.#refused.clear();
      this.#refused.add(error.subject);
    }
    tell('mesh.error', { user: this.user, error });
  }

  #unreachable(error: Error, servers: readonly string[]): MeshError {
    const { AuthorizationError, UserAuthenticationExpiredError } = this.#client;
    const isRefused = error instanceof AuthorizationError || error instanceof UserAuthenticationExpiredError;
    // Urls may hold passwords.
    const where = servers.map(server => server.replace(/\/\/[^@/]*@/, '//')).join(', ');
    return new MeshError(isRefused ? `${where} does not accept this client` : `no server can be reached at ${where}: ${error.message}`, {
      reason: isRefused ? 'refused' : 'unreachable',
      cause: error,
    });
  }
}

function messageOf({ subject, data, reply, headers }: Msg): MeshMessage {
  const noReceiver = data.length === 0 && headers !== undefined && headers.code === NO_RECEIVER;
  return { subject, data: Buffer.from(data.buffer, data.byteOffset, data.byteLength), reply: reply || undefined, noReceiver };
}
