import { ConnectionClosedError, UsageError } from '../../errors.js';
import { toBytes } from '../../units.js';
import { MESSAGE } from '../timeouts/deadlines.js';
import type { LiveConnection } from '../live-connection.js';
import type { PipeOptions } from '../peer-options.js';
import { PauseReason } from '../inbound/read-loop.js';

interface Pipe {
  readonly target: ConnectionPipes;
  readonly ends: boolean;
  readonly resolve: (bytes: number) => void;
  readonly reject: (error: Error) => void;
  left: number;
  count: number;
}

/** The pipes of one connection: at most one takes its bytes, any number feed it. */
export class ConnectionPipes {
  readonly #session: LiveConnection;
  #pipe: Pipe | undefined;
  /** Whose bytes come here. */
  readonly #feeders = new Set<ConnectionPipes>();

  constructor(session: LiveConnection) {
    this.#session = session;
  }

  /** Piped in either direction: half-closed, the connection stays. */
  get isBusy(): boolean {
    return this.#pipe !== undefined || this.#feeders.size > 0;
  }

  /** Lets the bytes flow to `target`, beginning with those not handled yet. Rejects when either side is gone before the end. */
  start(target: ConnectionPipes, { limit, end = true }: PipeOptions): Promise<number> {
    const { readLoop, deadlines, state } = this.#session;
    if (this.#pipe) return Promise.reject(new UsageError('the peer is piped already'));
    if (this.#session.transport.shared || target.#session.transport.shared)
      return Promise.reject(new UsageError('a socket that many peers share cannot be piped'));
    if (!state.isOpen || target.#session.state.isOver) return Promise.reject(new ConnectionClosedError('a side of the pipe is closed'));
    return new Promise((resolve, reject) => {
      const left = limit === undefined ? Infinity : toBytes(limit);
      // The limit is a number of bytes to move, an announced length for instance: 0 moves none.
      if (left === 0) {
        resolve(0);
        return;
      }
      this.#pipe = { target, ends: end, resolve, reject, left, count: 0 };
      target.#feeders.add(this);
      readLoop.hold(PauseReason.PIPED);
      deadlines.set(MESSAGE, Infinity);
      this.#session.reviewClocks();
      target.#session.reviewClocks();
      const received = readLoop.take();
      if (received.length > 0) this.onSourceData(received);
      if (state.peerHasEnded) this.onSourceEnd();
    });
  }

  /** Bytes of the source. */
  onSourceData(chunk: Buffer): void {
    const pipe = this.#pipe;
    if (!pipe) return;
    const session = pipe.target.#session;
    if (session.state.isOver) {
      this.#fail();
      return;
    }
    const part = chunk.length > pipe.left ? chunk.subarray(0, pipe.left) : chunk;
    pipe.left -= part.length;
    pipe.count += part.length;
    session.sendEncoded(part);
    if (pipe.left === 0) this.#done(chunk.subarray(part.length));
    else if (session.sendBuffer.isCongested) this.#session.readLoop.hold(PauseReason.BLOCKED);
  }

  /** The source has finished. */
  onSourceEnd(): void {
    if (this.#pipe?.ends) this.#pipe.target.#session.state.endOurSide();
    if (this.#pipe) this.#done(undefined);
  }

  /** This connection, as a target, has room again. */
  onTargetRoom(): void {
    for (const feeder of this.#feeders) feeder.#session.readLoop.release(PauseReason.BLOCKED, true);
  }

  /** This connection is gone. */
  close(): void {
    for (const feeder of [...this.#feeders]) feeder.#fail();
    if (this.#pipe) this.#fail();
  }

  #done(rest: Buffer | undefined): void {
    const pipe = this.#detach(rest);
    pipe?.resolve(pipe.count);
  }

  #fail(): void {
    const pipe = this.#pipe;
    // A truncated copy must not look like a whole one to the target's reader.
    if (pipe && pipe.count > 0) pipe.target.#session.sendBuffer.breakOff();
    this.#detach(undefined)?.reject(new ConnectionClosedError('a side of the pipe is gone'));
  }

  /** The source's bytes are messages again, beginning with the rest. */
  #detach(rest: Buffer | undefined): Pipe | undefined {
    const pipe = this.#pipe;
    if (!pipe) return undefined;
    this.#pipe = undefined;
    pipe.target.#feeders.delete(this);
    const { readLoop, state } = this.#session;
    if (rest && rest.length > 0) readLoop.inbound.push(rest, undefined);
    if (!state.isClosed) readLoop.release(PauseReason.PIPED | PauseReason.BLOCKED, true);
    this.#afterUnpipe();
    pipe.target.#afterUnpipe();
    return pipe;
  }

  /** The last pipe has ended: the half-close timer starts again, and the connection may close. */
  #afterUnpipe(): void {
    const { state } = this.#session;
    if (state.isClosed) return;
    this.#session.reviewClocks();
    if (this.isBusy) return;
    if (state.peerHasEnded) state.onPeerEnd();
    state.advance();
  }
}
