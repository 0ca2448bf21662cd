import { setImmediate } from 'node:timers';
import { Kind } from '../wire/protocol.js';
import type { Encoded, Link } from '../wire/types.js';

/** What `status()` was last given, told at most once a turn and not while the link is full: a worker that reports often floods nobody. */
export class LatestStatus {
  readonly #link: Link;
  #value: Encoded | undefined;
  #scheduled = false;

  constructor(link: Link) {
    this.#link = link;
  }

  set(value: Encoded): void {
    this.#value = value;
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.tell());
  }

  /** Tells it now if the link takes it; called again when the link is drained. */
  tell(): void {
    this.#scheduled = false;
    if (this.#value === undefined || this.#link.congested) return;
    this.#link.sendEncoded(Kind.STATUS, 0, 0, this.#value);
    this.#value = undefined;
  }
}
