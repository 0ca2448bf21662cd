import { CreditKind, INITIAL_ROOM, SendCredit, sendCredit, WIDEST, type Room } from '../../wire/link/credit.js';
import { ProtocolError } from '../../errors.js';
import type { Encoded, Link } from '../../wire/link/types.js';
import type { CallSender, InputStreamHost } from '../../workers/call/input-stream.js';

/**
 * The stream of a remote caller on its way to the task. The worker's credit is passed on; until the first of it shows that the task has
 * begun, what came is kept, so that it can be sent again to another process.
 */
export class RelayedItems implements CallSender {
  readonly #link: Link;
  readonly #id: number;
  #port: InputStreamHost | undefined;
  /** Undefined once the worker has granted credit: then each item goes to one process alone. */
  #kept: Encoded[] | undefined = [];
  #isEnded = false;
  /** Items that may still come. */
  readonly #credit = new SendCredit(INITIAL_ROOM.sends);

  constructor(link: Link, id: number) {
    this.#link = link;
    this.#id = id;
  }

  get isRepeatable(): boolean {
    return this.#kept !== undefined;
  }

  /** One item of the caller. */
  push(encoded: Encoded): void {
    if (!this.#credit.open) throw new ProtocolError('an item of a caller without credit');
    this.#credit.spend(encoded.length);
    this.#kept?.push(encoded);
    this.#port?.item(encoded);
  }

  /** The caller's stream has ended. */
  end(): void {
    this.#isEnded = true;
    this.#port?.end();
  }

  attach(port: InputStreamHost | undefined): void {
    this.#port = port;
    if (!port) return;
    for (const encoded of this.#kept ?? []) port.item(encoded);
    if (this.#isEnded) port.end();
  }

  grant(room: Room): void {
    this.#credit.give(room, WIDEST);
    this.#kept = undefined;
    sendCredit(this.#link, this.#id, CreditKind.sends, room);
  }

  stop(): void {
    this.#port = undefined;
    this.#kept = undefined;
  }
}
