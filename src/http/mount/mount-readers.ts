import type { ServerResponse } from 'node:http';
import { realClock, type ClockTimer } from '../../clock.js';
import { ResponseReader } from '../reader.js';

/** How many times within `drainTimeout` the answers under way are looked at. */
const LOOKS = 4;

/**
 * Sees to it that the clients of an application of Node's kind go on reading. Frameworks write to Node's own response, and give it another
 * prototype; so nothing of it is replaced, and the answers under way are looked at from time to time.
 */
export class MountReaders {
  readonly #answers: () => Iterable<ServerResponse>;
  readonly #drainTimeout: number;
  readonly #stalled: (response: ServerResponse) => void;
  readonly #readers = new WeakMap<ServerResponse, ResponseReader>();
  /** There while something is under way. */
  #timer: ClockTimer | undefined;

  /**
   * @param answers those under way
   * @param drainTimeout in milliseconds; Infinity is off.
   * @param stalled hears, once, that a client has taken nothing for that long; found up to a quarter of it later.
   */
  constructor(answers: () => Iterable<ServerResponse>, drainTimeout: number, stalled: (response: ServerResponse) => void) {
    this.#answers = answers;
    this.#drainTimeout = drainTimeout;
    this.#stalled = stalled;
  }

  /** A request has come in. */
  arrived(): void {
    if (!this.#timer && this.#drainTimeout !== Infinity) this.#lookLater();
  }

  #lookLater(): void {
    this.#timer = realClock.after(this.#drainTimeout / LOOKS, () => this.#look());
  }

  #look(): void {
    this.#timer = undefined;
    for (const response of this.#answers()) {
      this.arrived();
      if (response.socket && response.socket.writableLength > 0) this.#readerOf(response).watch();
    }
  }

  #readerOf(response: ServerResponse): ResponseReader {
    let reader = this.#readers.get(response);
    if (!reader) {
      reader = new ResponseReader(response, realClock, this.#drainTimeout, () => this.#stalled(response));
      this.#readers.set(response, reader);
    }
    return reader;
  }
}
