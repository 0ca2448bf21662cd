import { Buffer } from 'node:buffer';
import type { Authenticator, Msg, NatsConnection, NodeConnectionOptions } from '@nats-io/transport-node';
import { publish as tell } from '../diagnostics.js';
import { asError, MeshError } from '../errors.js';
import { clearTimeout, setImmediate, setTimeout } from '../system-timers.js';
import { greetingOf } from './greeting.js';
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
/** Milliseconds that closing waits for a server that does not answer. */
const LAST_WORDS = 1_000;

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
        // A cut cable is noticed after 15 s where nothing else goes over it; links ask the server themselves.
        pingInterval: 5_000,
        maxPingOut: 2,
        timeout: 5_000,
        noAsyncTraces: true,
        ignoreAuthErrorAbort: true,
        ...(tls && { tls }),
        ...(authenticator && { authenticator }),
      });
    } catch (error) {
      throw connection.#unreachable(await explained(asError(error), servers), servers);
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
    try {
      await this.flush();
    } catch (error) {
      subscription.unsubscribe();
      throw error;
    }
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
    try {
      await this.#nats.flush();
    } catch (error) {
      throw new MeshError('the connection broke before the server had answered', { reason: 'unreachable', cause: error });
    }
    // Refusals that came before the answer are told in a turn of their own.
    await new Promise<void>(resolve => setImmediate(resolve));
  }

  reconnect(): void {
    this.#nats.reconnect().catch(() => {});
  }

  onStatus(listener: (isUp: boolean) => void): void {
    this.#listeners.push(listener);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    const isUp = this.#isUp;
    this.#isClosed = true;
    // Without a server there is nothing to wait for.
    if (isUp) await this.#flushSoon();
    await this.#nats.close().catch(() => {});
  }

  /** Waits until the server has everything that was published, or does not say so in time. */
  async #flushSoon(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>(resolve => (timer = setTimeout(resolve, LAST_WORDS)));
    await Promise.race([this.#nats.flush().catch(() => {}), late]);
    clearTimeout(timer);
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
      else if (status.type === 'close') this.#ended();
    }
  }

  /** The client library gave up, which it does only where it cannot even try again. */
  #ended(): void {
    if (this.#isClosed) return;
    this.#setUp(false);
    const error = new MeshError('the connection has ended for good: this application must be started again', { reason: 'unreachable' });
    tell('mesh.error', { user: this.user, error });
  }

  #setUp(isUp: boolean): void {
    if (this.#isClosed || this.#isUp === isUp) return;
    this.#isUp = isUp;
    for (const listener of this.#listeners) {
      try {
        listener(isUp);
      } catch (error) {
        tell('mesh.error', { user: this.user, error: asError(error) });
      }
    }
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
    // Urls may hold passwords.
    const where = servers.map(server => server.replace(/\/\/[^@/]*@/, '//')).join(', ');
    const [text, reason] =
      error instanceof AuthorizationError || error instanceof UserAuthenticationExpiredError
        ? ([`${where} does not accept this client: ${error.message}`, 'refused'] as const)
        : isOfTls(error)
          ? ([`no trust between this client and ${where}: ${error.message}`, 'refused'] as const)
          : ([`no server can be reached at ${where}: ${error.message}`, 'unreachable'] as const);
    return new MeshError(text, { reason, cause: error });
  }
}

/**
 * The error of a connection that was not made. A server that asks for certificates ends a connection without a good one after the handshake,
 * which the client library does not see: it waits until its time is over.
 */
async function explained(error: Error, servers: readonly string[]): Promise<Error> {
  if (error.name !== 'TimeoutError') return error;
  const greeting = await greetingOf(servers[0]!);
  if (!greeting?.tls_verify) return error;
  return Object.assign(new Error("it asks for a certificate, and did not accept this client's", { cause: error }), {
    code: 'ERR_TLS_CERT',
  });
}

/** Node's codes for certificates that were not accepted, here or there, and what the client library says of a server without TLS. */
function isOfTls(error: Error): boolean {
  const { code } = error as NodeJS.ErrnoException;
  if (error.message.includes("does not support 'tls'")) return true;
  return code !== undefined && /CERT|^ERR_(?:SSL|TLS|OSSL)|^EPROTO$|SIGNATURE|^HOSTNAME_MISMATCH$|UNABLE_TO/.test(code);
}

function messageOf({ subject, data, reply, headers }: Msg): MeshMessage {
  const noReceiver = data.length === 0 && headers !== undefined && headers.code === NO_RECEIVER;
  return { subject, data: Buffer.from(data.buffer, data.byteOffset, data.byteLength), reply: reply || undefined, noReceiver };
}
