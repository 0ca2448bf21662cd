import { TokenBucket } from './allowance.js';
import { Kind } from '../wire/link/protocol.js';
import type { Clock } from '../clock.js';
import type { Encoded, Link } from '../wire/link/types.js';
import { setImmediate } from '../system-timers.js';

/** Statuses that are told at once, before they are spread over time, and how many a millisecond are in the long run. */
const BURST = 8;
const PER_MILLISECOND = 1;

/**
 * The last value that `status()` was given. It is told at once, so that a task that holds the event loop is seen at work; of a task that
 * reports more than once a millisecond only the last one of a turn is told, and none while the link is full.
 */
export class LatestStatus {
  readonly #link: Link;
  readonly #atOnce: TokenBucket;
  #value: Encoded | undefined;
  #scheduled = false;

  constructor(link: Link, clock: Pick<Clock, 'now'>) {
    this.#link = link;
    this.#atOnce = new TokenBucket(clock, BURST, PER_MILLISECOND);
  }

  set(value: Encoded): void {
    this.#value = value;
    if (this.#atOnce.take()) {
      this.#tell();
      return this.#link.flush();
    }
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.send());
  }

  /** Tells it now if the link takes it; called again when the link is drained. */
  send(): void {
    this.#scheduled = false;
    this.#tell();
  }

  #tell(): void {
    if (this.#value === undefined || this.#link.isCongested) return;
    this.#link.sendEncoded(Kind.STATUS, 0, 0, this.#value);
    this.#value = undefined;
  }
}
