import type { SocketHandle } from '../../hosts/host.js';
import { Kind, StopHow, type SocketMessage } from '../../wire/link/protocol.js';
import type { Link } from '../../wire/link/types.js';
import type { SocketQueue } from './socket-queue.js';

/** The container's side of the sockets that its master gives it. */
export interface SocketService {
  /** Serves it. `gone`: the connection is over; called once, never before this has returned. */
  serve(message: SocketMessage, handle: SocketHandle, gone: () => void): void;
  /** Accepts from a socket that others accept from, too. Resolves when it does; never rejects. */
  accept(message: SocketMessage, handle: SocketHandle): Promise<void>;
  /** Stops listening. Never rejects. */
  stopListening(): Promise<void>;
  /**
   * Another process accepts in its place: requests are told to ask there, what is closed later is closed with the code RELOAD. Resolves when
   * the last answers are given. Never rejects.
   */
  handOver(): Promise<void>;
  /** Stops accepting and shuts down open connections. Resolves when none is left. Never rejects. */
  shutDown(): Promise<void>;
}

/**
 * Joins the message about a socket with the socket itself, tells the master that both are here, and begins with it when
 * the master says so: up to then another process may get it.
 */
export class SocketReceiver {
  readonly #link: Link;
  readonly #arrivals: SocketQueue;
  readonly #service: SocketService;
  /** Said over the link, and not come. */
  readonly #announced = new Map<number, SocketMessage>();
  /** Come, and not said. */
  readonly #arrived = new Map<number, SocketHandle>();
  /** Acknowledged; the master decides. */
  readonly #held = new Map<number, { readonly message: SocketMessage; readonly handle: SocketHandle }>();
  /** Called back before they came. */
  readonly #recalled = new Set<number>();
  #quiet = false;

  constructor(link: Link, arrivals: SocketQueue, service: SocketService) {
    this.#link = link;
    this.#arrivals = arrivals;
    this.#service = service;
    arrivals.take((id, handle) => this.#arrive(id, handle));
  }

  /** SOCKET */
  announce(id: number, message: SocketMessage): void {
    const handle = this.#arrived.get(id);
    this.#arrived.delete(id);
    if (handle) this.#meet(id, message, handle);
    else this.#announced.set(id, message);
  }

  /** SOCKET_COMMIT */
  settle(id: number, arg: number): void {
    const held = this.#held.get(id);
    if (held) {
      this.#held.delete(id);
      if (arg !== 0) this.#arrivals.discard(held.handle);
      else this.#service.serve(held.message, held.handle, () => this.#link.send(Kind.SOCKET_CLOSED, id, 0));
    } else if (this.#announced.delete(id)) {
      this.#recalled.add(id);
      this.#link.send(Kind.SOCKET_ACK, id, 1);
    }
  }

  /** STOP_LISTENING */
  stopListening(arg: number): void {
    const drained = (): void => void this.#link.send(Kind.DRAINED, 0, arg);
    // Sockets that are on their way are served here: the master has accepted them.
    if (arg === StopHow.handOver) return void this.#service.handOver().then(drained);
    this.#quiet = true;
    if (arg === StopHow.accepting) void this.#service.stopListening();
    else void this.#service.shutDown().then(drained);
  }

  /** The worker is over: what it has not begun with is not its own. */
  close(): void {
    for (const handle of [...this.#arrived.values(), ...[...this.#held.values()].map(held => held.handle)]) this.#arrivals.abandon(handle);
    this.#arrived.clear();
    this.#held.clear();
    this.#announced.clear();
  }

  #arrive(id: number, handle: SocketHandle): void {
    const message = this.#announced.get(id);
    if (this.#recalled.delete(id)) this.#arrivals.discard(handle);
    else if (message) {
      this.#announced.delete(id);
      this.#meet(id, message, handle);
    } else this.#arrived.set(id, handle);
  }

  #meet(id: number, message: SocketMessage, handle: SocketHandle): void {
    if (this.#quiet) {
      this.#arrivals.discard(handle);
      this.#link.send(Kind.SOCKET_ACK, id, 1);
    } else if (message.how === 'share') {
      void this.#service.accept(message, handle).then(() => this.#link.send(Kind.SOCKET_ACK, id, 0));
    } else {
      this.#held.set(id, { message, handle });
      this.#link.send(Kind.SOCKET_ACK, id, 0);
    }
  }
}
