import { ConnectionClosedError, UsageError } from '../../errors.js';
import type { Transport } from '../../endpoints/endpoint.js';
import type { Chunk } from '../../framing/framing.js';
import { toBytes } from '../../units.js';
import { MESSAGE, type Deadlines } from '../timeouts/deadlines.js';
import type { Ending } from '../lifecycle.js';
import type { Outbound } from '../outbound/send-buffer.js';
import type { PipeOptions } from '../peer.js';
import { Hold, type Reader } from '../inbound/read-loop.js';

/** The session, as its pipes see it. */
export interface PipingHost {
  readonly transport: Transport;
  readonly reader: Reader;
  readonly outbound: Outbound;
  readonly ending: Ending;
  readonly deadlines: Deadlines;
  /** Sends bytes past the framing. */
  say(bytes: Chunk): void;
  /** Whether its clocks stand still may have changed. */
  clocks(): void;
}

interface Pipe {
  readonly target: Piping;
  readonly ends: boolean;
  readonly resolve: (bytes: number) => void;
  readonly reject: (error: Error) => void;
  left: number;
  count: number;
}

/** The pipes of one connection: at most one takes its bytes, any number feed it. */
export class Piping {
  readonly #session: PipingHost;
  #pipe: Pipe | undefined;
  /** Whose bytes come here. */
  readonly #feeders = new Set<Piping>();

  constructor(session: PipingHost) {
    this.#session = session;
  }

  /** Piped in either direction: half-closed, the connection stays. */
  get busy(): boolean {
    return this.#pipe !== undefined || this.#feeders.size > 0;
  }

  /** Lets the bytes flow to `target`, beginning with those not handled yet. Rejects when either side is gone before the end. */
  start(target: Piping, { limit, end = true }: PipeOptions): Promise<number> {
    const { reader, deadlines, ending } = this.#session;
    if (this.#pipe) return Promise.reject(new UsageError('the peer is piped already'));
    if (this.#session.transport.shared || target.#session.transport.shared)
      return Promise.reject(new UsageError('a socket that many peers share cannot be piped'));
    if (!ending.open || target.#session.ending.over) return Promise.reject(new ConnectionClosedError('a side of the pipe is closed'));
    return new Promise((resolve, reject) => {
      const left = limit === undefined ? Infinity : toBytes(limit);
      // It is a number of bytes to move, an announced length for instance: none is none.
      if (left === 0) {
        resolve(0);
        return;
      }
      this.#pipe = { target, ends: end, resolve, reject, left, count: 0 };
      target.#feeders.add(this);
      reader.hold(Hold.PIPED);
      deadlines.set(MESSAGE, Infinity);
      this.#session.clocks();
      target.#session.clocks();
      const received = reader.take();
      if (received.length > 0) this.data(received);
      if (ending.peerHasEnded) this.sourceEnded();
    });
  }

  /** Bytes of the source. */
  data(chunk: Buffer): void {
    const pipe = this.#pipe;
    if (!pipe) return;
    const session = pipe.target.#session;
    if (session.ending.over) {
      this.#fail();
      return;
    }
    const part = chunk.length > pipe.left ? chunk.subarray(0, pipe.left) : chunk;
    pipe.left -= part.length;
    pipe.count += part.length;
    session.say(part);
    if (pipe.left === 0) this.#done(chunk.subarray(part.length));
    else if (session.outbound.congested) this.#session.reader.hold(Hold.BLOCKED);
  }

  /** The source has finished. */
  sourceEnded(): void {
    if (this.#pipe?.ends) this.#pipe.target.#session.ending.halfClose();
    if (this.#pipe) this.#done(undefined);
  }

  /** This connection, as a target, has room again. */
  hasRoom(): void {
    for (const feeder of this.#feeders) feeder.#session.reader.release(Hold.BLOCKED, true);
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
    // To whoever reads the target the bytes so far would look like all of them.
    if (pipe && pipe.count > 0) pipe.target.#session.outbound.breakOff();
    this.#detach(undefined)?.reject(new ConnectionClosedError('a side of the pipe is gone'));
  }

  /** The source's bytes are messages again, beginning with the rest. */
  #detach(rest: Buffer | undefined): Pipe | undefined {
    const pipe = this.#pipe;
    if (!pipe) return undefined;
    this.#pipe = undefined;
    pipe.target.#feeders.delete(this);
    const { reader, ending } = this.#session;
    if (rest && rest.length > 0) reader.inbound.push(rest, undefined);
    if (!ending.gone) reader.release(Hold.PIPED | Hold.BLOCKED, true);
    this.#unpiped();
    pipe.target.#unpiped();
    return pipe;
  }

  /** Half-closed connections go on dying when they are not piped any more. */
  #unpiped(): void {
    const { ending } = this.#session;
    if (ending.gone) return;
    this.#session.clocks();
    if (this.busy) return;
    if (ending.peerHasEnded) ending.peerEnded();
    ending.step();
  }
}
