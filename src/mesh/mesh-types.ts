/** One message as a subscription hands it over. */
export interface MeshMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  /** Where an answer is to go. */
  readonly reply: string | undefined;
  /** The mesh itself says that a message with this reply subject had no receiver. */
  readonly noReceiver: boolean;
}

/** One subscription. */
export interface MeshSubscription {
  /** Ends it. Idempotent. */
  close(): void;
}

/**
 * One application's connection to a mesh: subjects of dot-separated tokens, delivered at most once, in order per publisher. A message that
 * is published with a reply subject and finds no receiver is answered there by an empty one with `noReceiver`.
 */
export interface MeshConnection {
  /** First token of every subject of this application. */
  readonly namespace: string;
  /** Token under which only this client may receive: part of the subjects that answers come on. */
  readonly user: string;
  /** Bytes that one message may have at most. */
  readonly maxPayload: number;
  /** The server can be reached. While it cannot, what is published is lost. */
  readonly isUp: boolean;
  /** Sends bytes to all subscribers of a subject, at most once; `reply` names the subject that answers go to. */
  publish(subject: string, data: Uint8Array, reply?: string): void;
  /**
   * Receives what is published on the subject; `*` stands for one token, `>` for the rest. Resolves once the server has taken it.
   * @throws MeshError when the server refuses it.
   */
  subscribe(subject: string, onMessage: (message: MeshMessage) => void): Promise<MeshSubscription>;
  /** The server has refused what was published on that subject: known at the latest after {@link flush}. */
  isRefused(subject: string): boolean;
  /** Resolves when the server has handled everything published so far. Rejects when it cannot be reached. */
  flush(): Promise<void>;
  /** Called with every change of {@link isUp}. */
  onStatus(listener: (isUp: boolean) => void): void;
  /** Drops the connection and makes it again: the server does not answer, and nothing else notices a cut cable for so long. */
  reconnect(): void;
  /** Flushes and disconnects. Never rejects, and waits for a server that does not answer for a second at most. */
  close(): Promise<void>;
}

/**
 * Connects worker hosts and their callers: `nats()` of `packet-ts/nats`, or `memoryMesh()` of `packet-ts/testing`.
 * @example await bootstrap(AppModule, { mesh: nats({ servers: 'nats://10.0.0.1' }), placement: { eval_worker: 'remote' } });
 */
export interface Mesh {
  /** Connects one application. @throws MeshError when it cannot. */
  connect(): Promise<MeshConnection>;
}
