import { ProtocolError } from '../../errors.js';
import type { SocketHandle, SocketChannel } from '../../hosts/host.js';
import { Kind, StopHow, type SocketMessage } from '../../wire/link/protocol.js';
import type { Link } from '../../wire/link/types.js';
import { setImmediate } from '../../system-timers.js';

/** A socket on its way to one process. Exactly one of `taken` and `back` is called; after `taken`, `gone`. */
export interface SentSocket {
  readonly handle: SocketHandle;
  readonly message: SocketMessage;
  /** Acknowledged: it is the process's for good. */
  onTaken(): void;
  /** The process has it not, and has not read from it: it can go elsewhere. */
  onReturned(): void;
  /** Its connection is over. */
  onClosed(): void;
}

interface Pending {
  readonly sent: SentSocket;
  /** When it left. */
  readonly since: number;
}

/**
 * The sockets that one process was given: on their way, and in its hands. The master keeps its own descriptor until the process has
 * confirmed its own, and only then lets it begin: until that moment no byte was read, and the socket can still go to another process.
 */
export class SocketLedger {
  readonly #link: Link;
  readonly #channel: SocketChannel | undefined;
  readonly #isLive: () => boolean;
  readonly #onChange: () => void;
  readonly #pending = new Map<number, Pending>();
  /** Called back, and not answered yet. */
  readonly #recalled = new Set<number>();
  /** Listening ones, of which it gets a copy; not answered yet. */
  readonly #shared = new Map<number, SentSocket>();
  readonly #held = new Map<number, SentSocket>();
  #lastId = 0;
  /** Waiting for the answers to STOP_LISTENING. */
  readonly #drainResolvers = { [StopHow.all]: [] as (() => void)[], [StopHow.handOver]: [] as (() => void)[] };
  #closed = false;
  /** Connections that came in, as it says: also those at its own listeners. */
  inbound = 0;
  /** Connections that it has served to their end. */
  served = 0;

  /**
   * @param isLive what is said to it arrives
   * @param changed it has taken a socket, or has one less
   */
  constructor(link: Link, channel: SocketChannel | undefined, isLive: () => boolean, changed: () => void) {
    this.#link = link;
    this.#channel = channel;
    this.#isLive = isLive;
    this.#onChange = changed;
  }

  /** Those that it has, or will have. */
  get size(): number {
    return this.#pending.size + this.#held.size;
  }

  /** Those that it has not answered. */
  get inFlight(): number {
    return this.#pending.size + this.#recalled.size;
  }

  /** Connections that count as load: they came in, whichever way. */
  get load(): number {
    return Math.max(this.size, this.inbound);
  }

  /** Something has been on its way since before that moment. */
  isOverdue(before: number): boolean {
    for (const { since } of this.#pending.values()) return since < before;
    return this.#recalled.size > 0;
  }

  /** Those that have been on their way since before that moment. */
  *overdueIds(before: number): Generator<number> {
    for (const [id, { since }] of this.#pending) if (since < before) yield id;
  }

  /** @throws NotCloneableError, MessageTooLargeError: then nothing was sent. */
  send(sent: SentSocket, now: number): void {
    const channel = this.#channel;
    if (this.#closed || !channel) return void setImmediate(() => sent.onReturned());
    const id = ++this.#lastId;
    const { handle, message } = sent;
    this.#link.sendValue(Kind.SOCKET, id, 0, message, 'data');
    if (message.how !== 'share') this.#pending.set(id, { sent, since: now });
    else this.#shared.set(id, sent);
    channel.pass(id, handle, () => this.recall(id));
  }

  /** Takes a socket back that is still on its way. */
  recall(id: number): void {
    const pending = this.#pending.get(id);
    if (!pending) return;
    this.#pending.delete(id);
    this.#recalled.add(id);
    this.#link.send(Kind.SOCKET_COMMIT, id, 1);
    pending.sent.onReturned();
  }

  /** How many connections came in, as it says. */
  setInbound(inbound: number): void {
    if (inbound < this.inbound) this.served++;
    this.inbound = inbound;
  }

  /** The process has answered for a socket. */
  onAck(id: number, arg: number): void {
    const pending = this.#pending.get(id);
    if (!pending) {
      const shared = this.#shared.get(id);
      if (!this.#recalled.delete(id) && !this.#shared.delete(id)) throw new ProtocolError(`it takes socket ${id}, which it was not given`);
      shared?.onTaken();
      this.#onChange();
      return;
    }
    // The process is dying: no answer reaches it. The socket goes back when it is dead.
    if (!this.#isLive()) return;
    this.#pending.delete(id);
    const { sent } = pending;
    if (arg === 0) {
      this.#held.set(id, sent);
      this.#link.send(Kind.SOCKET_COMMIT, id, 0);
      this.#channel!.release(sent.handle);
      sent.onTaken();
    } else sent.onReturned();
    this.#onChange();
  }

  onClosed(id: number): void {
    const held = this.#held.get(id);
    if (!held) throw new ProtocolError(`it tells of the end of socket ${id}, which it has not`);
    this.#held.delete(id);
    this.served++;
    held.onClosed();
    this.#onChange();
  }

  /** Tells the process to stop listening. */
  stopListening(): void {
    if (this.#channel && !this.#closed) this.#link.send(Kind.STOP_LISTENING, 0, StopHow.accepting);
  }

  /** Stops listening, and shuts connections down as when the application closes. Resolves when none is left, or the process has exited. */
  shutDown(): Promise<void> {
    return this.#stop(StopHow.all);
  }

  /** Another process has taken over: requests get their last answers there. Resolves when these are given, or the process has exited. */
  handOver(): Promise<void> {
    return this.#stop(StopHow.handOver);
  }

  #stop(how: typeof StopHow.all | typeof StopHow.handOver): Promise<void> {
    if (!this.#channel || this.#closed || !this.#isLive()) return Promise.resolve();
    this.#link.send(Kind.STOP_LISTENING, 0, how);
    return new Promise(resolve => this.#drainResolvers[how].push(resolve));
  }

  onDrained(how: number): void {
    const resolve = how === StopHow.all || how === StopHow.handOver ? this.#drainResolvers[how].shift() : undefined;
    if (!resolve) throw new ProtocolError('it has drained without having been told to stop');
    resolve();
  }

  /** The process is dead. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const pending = [...this.#pending.values(), ...[...this.#shared.values()].map(sent => ({ sent }))];
    const held = [...this.#held.values()];
    this.#pending.clear();
    this.#recalled.clear();
    this.#shared.clear();
    this.#held.clear();
    this.inbound = 0;
    for (const resolvers of Object.values(this.#drainResolvers)) for (const resolve of resolvers.splice(0)) resolve();
    for (const { sent } of pending) sent.onReturned();
    for (const sent of held) sent.onClosed();
  }
}
