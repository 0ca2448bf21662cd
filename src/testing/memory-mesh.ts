import { checkGiven, text } from '../option-rules.js';
import { Buffer } from 'node:buffer';
import { setImmediate } from '../system-timers.js';
import type { Mesh, MeshConnection, MeshMessage, MeshSubscription } from '../mesh/mesh-types.js';

/** Bytes of one message, as a server of NATS has it. */
const MAX_PAYLOAD = 1024 * 1024;

/** A mesh inside this process. */
export interface MemoryMesh extends Mesh {
  /** Cuts all connections: what is published from now on is lost. */
  cut(): void;
  /** Connects them again. */
  restore(): void;
}

/** Parts of a subject against those of a pattern. */
function matches(pattern: readonly string[], subject: readonly string[]): boolean {
  for (const [i, part] of pattern.entries()) {
    if (part === '>') return subject.length > i;
    if (part !== '*' && part !== subject[i]) return false;
  }
  return pattern.length === subject.length;
}

class Subscription implements MeshSubscription {
  readonly owner: MemoryConnection;
  readonly #pattern: readonly string[];
  readonly #listener: (message: MeshMessage) => void;
  readonly #closed: (subscription: Subscription) => void;
  #isOpen = true;

  constructor(
    owner: MemoryConnection,
    subject: string,
    listener: (message: MeshMessage) => void,
    closed: (subscription: Subscription) => void,
  ) {
    this.owner = owner;
    this.#pattern = subject.split('.');
    this.#listener = listener;
    this.#closed = closed;
  }

  takes(subject: readonly string[]): boolean {
    return this.#isOpen && matches(this.#pattern, subject);
  }

  /** In a later turn, as bytes of a socket. */
  deliver(message: MeshMessage): void {
    setImmediate(() => {
      if (this.#isOpen && this.owner.isUp) this.#listener(message);
    });
  }

  close(): void {
    this.#isOpen = false;
    this.#closed(this);
  }
}

class MemoryConnection implements MeshConnection {
  readonly namespace: string;
  readonly user: string;
  readonly maxPayload = MAX_PAYLOAD;
  readonly #server: MemoryServer;
  readonly #listeners: ((isUp: boolean) => void)[] = [];
  #isUp = true;
  #isClosed = false;

  constructor(server: MemoryServer, namespace: string, user: string) {
    this.#server = server;
    this.namespace = namespace;
    this.user = user;
  }

  get isUp(): boolean {
    return this.#isUp && !this.#isClosed;
  }

  publish(subject: string, data: Uint8Array, reply?: string): void {
    if (this.isUp) this.#server.publish(this, subject, Buffer.from(data), reply);
  }

  async subscribe(subject: string, onMessage: (message: MeshMessage) => void): Promise<MeshSubscription> {
    return this.#server.subscribe(this, subject, onMessage);
  }

  isRefused(): boolean {
    return false;
  }

  flush(): Promise<void> {
    if (!this.isUp) return Promise.reject(new Error('the mesh cannot be reached'));
    return new Promise(resolve => setImmediate(resolve));
  }

  onStatus(listener: (isUp: boolean) => void): void {
    this.#listeners.push(listener);
  }

  /** Nothing to do: a connection in memory never hangs. */
  reconnect(): void {}

  setUp(isUp: boolean): void {
    if (this.#isClosed || this.#isUp === isUp) return;
    this.#isUp = isUp;
    for (const listener of this.#listeners) listener(isUp);
  }

  async close(): Promise<void> {
    // Published messages are on their way, as behind a flush.
    await new Promise<void>(resolve => setImmediate(resolve));
    this.#isClosed = true;
    this.#server.remove(this);
  }
}

class MemoryServer {
  readonly #subscriptions = new Set<Subscription>();
  readonly #connections = new Set<MemoryConnection>();
  #isUp = true;

  connect(namespace: string, user: string): MemoryConnection {
    const connection = new MemoryConnection(this, namespace, user);
    this.#connections.add(connection);
    connection.setUp(this.#isUp);
    return connection;
  }

  remove(connection: MemoryConnection): void {
    this.#connections.delete(connection);
    for (const subscription of this.#subscriptions) if (subscription.owner === connection) subscription.close();
  }

  setUp(isUp: boolean): void {
    this.#isUp = isUp;
    for (const connection of [...this.#connections]) connection.setUp(isUp);
  }

  subscribe(owner: MemoryConnection, subject: string, listener: (message: MeshMessage) => void): Subscription {
    const subscription = new Subscription(owner, subject, listener, ended => void this.#subscriptions.delete(ended));
    this.#subscriptions.add(subscription);
    return subscription;
  }

  publish(from: MemoryConnection, subject: string, data: Buffer, reply: string | undefined): void {
    const parts = subject.split('.');
    let isTaken = false;
    for (const subscription of this.#subscriptions) {
      if (!subscription.takes(parts)) continue;
      isTaken = true;
      subscription.deliver({ subject, data, reply, noReceiver: false });
    }
    if (isTaken || reply === undefined) return;
    const replyParts = reply.split('.');
    for (const subscription of this.#subscriptions) {
      if (subscription.owner === from && subscription.takes(replyParts))
        subscription.deliver({ subject: reply, data: Buffer.alloc(0), reply: undefined, noReceiver: true });
    }
  }
}

/**
 * A mesh inside one process, for tests: `serveWorkers()` and `bootstrap()` that are given the same one find each other.
 * @example
 * const mesh = memoryMesh();
 * const host = await serveWorkers(AppModule, { mesh, workers: [EvalWorker] });
 * const app = await bootstrap(AppModule, { mesh, placement: { eval_worker: 'remote' } });
 */
export function memoryMesh(options: { namespace?: string | undefined; name?: string | undefined } = {}): MemoryMesh {
  checkGiven('memoryMesh()', options, { namespace: text, name: text });
  const server = new MemoryServer();
  const { namespace = 'packet', name = 'any' } = options;
  return {
    connect: async () => server.connect(namespace, name),
    cut: () => server.setUp(false),
    restore: () => server.setUp(true),
  };
}
