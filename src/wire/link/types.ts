/**
 * The link between two processes, as the floors above see it: messages of a small fixed header and one structured value,
 * encoded at once, leaving in one write per event-loop turn.
 *
 * Messages of equal id arrive in the order in which they were sent, and so do calls. Around a value above 64 KB, which travels in pieces,
 * messages with other ids go past it; PING and PONG go past everything.
 */

/** A value already encoded: its own copy, so that later changes of the original are not seen. */
export type Encoded = Uint8Array;

/** The value that lies behind a received message. Valid only during {@link LinkReceiver.onMessage}; `take` keeps it. */
export interface Body {
  /** Bytes of the encoded value; 0 where the message has none. */
  readonly length: number;
  /** Decodes it: linear in its bytes, nesting at most 100. Throws ProtocolError for what no encoder writes. Undefined where the message has none. */
  value(): unknown;
  /** A copy of the encoded bytes, to decode later or to pass on. */
  take(): Encoded;
}

export interface LinkReceiver {
  /** One message. What it throws breaks the link, like garbage. */
  onMessage(kind: number, id: number, arg: number, body: Body): void;
  /** A burst of messages (one read) has been handed over: the moment to refill, then to settle. */
  onBurst?(): void;
  /** Everything written has left after {@link Link.isCongested} was true. */
  onDrained?(): void;
  /** The link has closed; exactly once. `error`: ProtocolError for garbage, else the stream's own error; undefined for a clean end. */
  onClosed(error?: Error): void;
}

export interface LinkOptions {
  /** The most bytes one value may have, either direction; 0: no limit. */
  readonly maxMessageSize: number;
  /** The other side announces nothing that it does not send: a worker's master. */
  readonly trusted?: boolean | undefined;
  /** The other side does not count calls: small ones without a context go past large ones, and past what waits. Default false. */
  readonly callsInAnyOrder?: boolean | undefined;
}

/** A stream that hands over its bytes itself, in place of 'data' events: each chunk in memory that is written over as soon as it was taken. */
export interface Direct {
  /** Called once. What has come already is handed over at once. */
  deliverTo(take: (chunk: Buffer) => void): void;
  /** Hands over what has come, inside this call: for code that keeps the event loop busy. A socket of this process's own only. */
  readNow?(): void;
}

/** A stream beside whose bytes things can travel: memory that is moved or shared, and ports. */
export interface Sharing {
  /** Sends a list of things ahead of the bytes that are written next. Gives its number. */
  attach(list: readonly unknown[]): number;
  /** The list of that number, which has come; once. */
  attached(list: number): readonly unknown[] | undefined;
}

export interface Link {
  /** Memory can be moved to the other side and shared with it. */
  readonly sharesMemory: boolean;
  /** True while the kernel takes no more: hold new work back until `drained`. */
  readonly isCongested: boolean;
  /** Bytes accepted and not yet taken by the kernel. */
  readonly bufferedBytes: number;
  /** The kernel has taken everything that was written, and no large value waits: what was sent lies nowhere in our memory any more. */
  readonly isFullyWritten: boolean;
  /** From now on no value that is sent may have more bytes than this; 0: any. A worker learns its limit over the link itself. */
  limit(maxMessageSize: number): void;
  /** A message without a value. `id` and `arg` are unsigned 32-bit integers. */
  send(kind: number, id: number, arg: number): void;
  /**
   * Encodes the value now and sends it with this turn's write.
   * Returns the bytes that the value takes.
   * Throws NotCloneableError or MessageTooLargeError, and then nothing is sent; they call the value `root`, by default 'input'.
   */
  sendValue(kind: number, id: number, arg: number, value: unknown, root?: string): number;
  /** Sends a value that was encoded before. */
  sendEncoded(kind: number, id: number, arg: number, encoded: Encoded): void;
  /** Writes what this turn has gathered, now. */
  flush(): void;
  /**
   * Reads what has come, now: its messages are handed over inside this call, `burst` follows in a later turn.
   * Does nothing where the stream cannot be read so, and while messages are being handed over.
   */
  poll(): void;
  /** Writes everything that was accepted to the stream's own descriptor, waiting for the kernel: the last thing that a process does. */
  writeOut(fd: number): void;
  /** Flushes, then ends the stream. */
  end(): void;
  /** Drops everything and closes. */
  destroy(error?: Error): void;
}
