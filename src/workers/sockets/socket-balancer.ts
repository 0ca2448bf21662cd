import type { Clock, ClockTimer } from '../../clock.js';
import { asError, WorkerUnavailableError } from '../../errors.js';
import type { SocketHandle } from '../../hosts/host.js';
import type { SocketMessage } from '../../wire/link/protocol.js';
import type { SocketLedger } from './socket-ledger.js';

/** A socket that is to go to some process of a pool. Exactly one of `taken` and `failed` is called; after `taken`, `gone`. */
export interface PassedSocket {
  readonly handle: SocketHandle;
  readonly message: SocketMessage;
  onTaken(): void;
  /** No process will have it: the handle is still the caller's. */
  onFailed(error: Error): void;
  onClosed(): void;
}

/** A process, as far as sockets are concerned. */
export interface SocketTaker {
  readonly sockets: SocketLedger;
}

export interface SocketBalancerHost {
  readonly clock: Clock;
  readonly worker: { readonly name: string };
  readonly key: string | undefined;
  /** The processes that take something. */
  readonly ready: readonly SocketTaker[];
  /** Those that will. */
  readonly startingCount: number;
  /** Starts what the load asks for. */
  grow(): void;
  /** The reason why no process takes sockets, and none will soon. */
  unservableReason(): Error | undefined;
}

interface Waiting {
  readonly socket: PassedSocket;
  readonly since: number;
  readonly tries: number;
  /** Where it was for too long. */
  readonly except: SocketTaker | undefined;
}

/** How long a socket waits for a process that is being started, or for one that does not answer, while another one could have it. Milliseconds. */
const PATIENCE = 1_000;
const LOOK = PATIENCE / 4;
/** Sockets on their way to one process. The system holds their descriptors meanwhile, and a stopped process none of more. */
const WINDOW = 16;
/** Processes that may die under one socket. */
const TRIES = 5;

/**
 * Gives each socket to the process that has fewest. One that is being started counts with those that wait for it, so that a burst ends up
 * spread evenly; what a process does not take goes to another one.
 */
export class SocketBalancer {
  readonly #pool: SocketBalancerHost;
  #waiting: Waiting[] = [];
  #timer: ClockTimer | undefined;
  #isReviewing = false;
  #closed = false;

  constructor(desk: SocketBalancerHost) {
    this.#pool = desk;
  }

  /** Sockets that no process has yet. */
  get waitingCount(): number {
    return this.#waiting.length;
  }

  place(socket: PassedSocket): void {
    this.#add({ socket, since: this.#pool.clock.now(), tries: 0, except: undefined });
  }

  /** Something may go on: a process is ready, or has room. */
  review(): void {
    if (this.#isReviewing || this.#waiting.length === 0) return;
    this.#isReviewing = true;
    const error = this.#pool.unservableReason();
    if (error) this.#failAll(error);
    // Waiting sockets count as load, so processes are started for them.
    else this.#pool.grow();
    this.#deal();
    this.#isReviewing = false;
    this.#watch();
  }

  /** Nothing more goes out: what waits is failed with this. */
  close(error: Error): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#failAll(error);
  }

  #add(waiting: Waiting): void {
    if (this.#closed) {
      const { name } = this.#pool.worker;
      waiting.socket.onFailed(new WorkerUnavailableError(name, this.#pool.key, 'it is being stopped'));
      return;
    }
    this.#waiting.push(waiting);
    this.review();
    this.#watch();
  }

  #deal(): void {
    const left: Waiting[] = [];
    const queue = this.#waiting;
    this.#waiting = left;
    const now = this.#pool.clock.now();
    for (const [index, waiting] of queue.entries()) {
      const hasRoom = this.#pool.ready.some(({ sockets }) => sockets.inFlight < WINDOW);
      if (!hasRoom) {
        left.push(...queue.slice(index));
        return;
      }
      const taker = this.#choose(waiting, left.length, now);
      if (taker) this.#send(waiting, taker, now);
      else left.push(waiting);
    }
  }

  /** @param ahead those that wait for processes which are being started */
  #choose({ since, except: not }: Waiting, ahead: number, now: number): SocketTaker | undefined {
    const { ready, startingCount: starting } = this.#pool;
    let best: SocketTaker | undefined;
    let bestIsLate = true;
    for (const taker of ready) {
      const { sockets } = taker;
      if (sockets.inFlight >= WINDOW || (taker === not && ready.length > 1)) continue;
      const late = sockets.isOverdue(now - PATIENCE);
      if (!best || (bestIsLate && !late) || (bestIsLate === late && sockets.size < best.sockets.size)) {
        best = taker;
        bestIsLate = late;
      }
    }
    if (!best || starting === 0 || now - since >= PATIENCE) return best;
    return bestIsLate || best.sockets.size > Math.floor(ahead / starting) ? undefined : best;
  }

  #send({ socket, since, tries }: Waiting, taker: SocketTaker, now: number): void {
    const back = (): void => {
      if (tries + 1 < TRIES) this.#add({ socket, since, tries: tries + 1, except: taker });
      else
        socket.onFailed(
          new WorkerUnavailableError(this.#pool.worker.name, this.#pool.key, `${TRIES} of its processes did not take the connection`),
        );
    };
    const { handle, message } = socket;
    try {
      taker.sockets.send({ handle, message, onTaken: () => socket.onTaken(), onClosed: () => socket.onClosed(), onReturned: back }, now);
    } catch (error) {
      socket.onFailed(asError(error));
    }
  }

  /** While sockets are on their way their arrival is watched. */
  #watch(): void {
    if (this.#timer || this.#closed || !this.#isBusy()) return;
    this.#timer = this.#pool.clock.after(LOOK, () => {
      this.#timer = undefined;
      this.#recall();
      this.review();
      this.#watch();
    });
  }

  #isBusy(): boolean {
    return this.#waiting.length > 0 || this.#pool.ready.some(({ sockets }) => sockets.inFlight > 0);
  }

  /** Takes back sockets that a process does not answer for, if another process answers. */
  #recall(): void {
    const before = this.#pool.clock.now() - PATIENCE;
    const { ready } = this.#pool;
    for (const { sockets } of ready) {
      if (!sockets.isOverdue(before)) continue;
      const late = [...sockets.overdueIds(before)];
      if (late.length === 0 || !ready.some(other => other.sockets !== sockets && !other.sockets.isOverdue(before))) continue;
      for (const id of late) sockets.recall(id);
    }
  }

  #failAll(error: Error): void {
    for (const { socket } of this.#waiting.splice(0)) socket.onFailed(error);
  }
}
