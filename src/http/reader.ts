import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { guard } from '../guard.js';
import type { Clock, ClockTimer } from '../clock.js';
import { deadline } from '../deadline.js';
import { unacknowledgedBytes } from '../endpoints/net/send-queue.js';
import { StallWatch } from '../endpoints/net/stall-watch.js';
import { nextTick } from '../system-timers.js';
import { takenFrom } from '../node-internals.js';

/** Nothing can be sent any more. A response that waits behind another one on its socket is told nothing when the socket closes. */
export function isGone(response: ServerResponse): boolean {
  return response.destroyed || response.closed || response.req.socket.destroyed;
}

/** The client, as far as it reads what it is answered: at its own pace, but not never. */
export class ResponseReader {
  readonly #response: ServerResponse;
  readonly #clock: Clock;
  readonly #drainTimeout: number;
  readonly #stalled: () => void;
  #timer: ClockTimer | undefined;
  /** There while something waits to be sent. */
  #watch: StallWatch | undefined;
  #waitsForSocket = false;
  /** Called once when the client leaves before its answer is through. Set by the writer of the answer. */
  onLeave: (() => void) | undefined;

  /** @param stalled hears, once, that the client has taken nothing for `drainTimeout` ms. */
  constructor(response: ServerResponse, clock: Clock, drainTimeout: number, stalled: () => void) {
    this.#response = response;
    this.#clock = clock;
    this.#drainTimeout = drainTimeout;
    this.#stalled = stalled;
    response.once(
      'close',
      guard(response, () => {
        this.#watch?.stop();
        this.onLeave?.();
      }),
    );
  }

  /** Nothing can be sent to it any more. */
  get isGone(): boolean {
    return isGone(this.#response);
  }

  /** Resolves when there is room for more, or never will be. */
  room(): Promise<void> {
    const response = this.#response;
    if (this.isGone || !response.writableNeedDrain) return Promise.resolve();
    this.watch();
    return new Promise(resolve => {
      const done = guard(response, () => {
        response.off('drain', done);
        response.off('close', done);
        resolve();
      });
      response.once('drain', done);
      response.once('close', done);
    });
  }

  /** Watches whether it goes on reading, as long as something waits to be sent. */
  watch(): void {
    const { socket } = this.#response;
    if (this.#watch || this.#drainTimeout === Infinity || this.isGone) return;
    if (!socket) {
      this.#watchLater();
      return;
    }
    if (socket.writableLength === 0) return;
    const source = {
      get bytesWritten() {
        return takenFrom(socket);
      },
      unacknowledged: (maxAge: number) => unacknowledgedBytes(socket, maxAge),
    };
    const timer = {
      set: (delay: number): void => {
        this.#timer?.cancel();
        this.#timer = delay === Infinity ? undefined : deadline(this.#clock, delay, () => this.#expired(socket));
      },
    };
    this.#watch = new StallWatch(
      source,
      timer,
      () => this.#drainTimeout,
      () => this.#stalled(),
    );
    this.#watch.start();
  }

  /** An answer that waits behind others on its connection has no socket yet: Node keeps it, and writes it right after 'socket'. */
  #watchLater(): void {
    if (this.#waitsForSocket) return;
    this.#waitsForSocket = true;
    const response = this.#response;
    response.once(
      'socket',
      guard(response, () => nextTick(() => this.watch())),
    );
  }

  #expired(socket: Socket): void {
    if (!this.isGone && socket.writableLength > 0) {
      this.#watch?.onExpired();
      return;
    }
    // Everything is with the system; what comes next is watched anew.
    this.#watch = undefined;
  }
}
