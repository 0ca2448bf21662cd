import { readdirSync, readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { publish } from '../diagnostics.js';
import type { Arrival } from './endpoint.js';
import { descriptorOf } from '../node-internals.js';
import { monotonicNow } from '../system-timers.js';

/** The most that stay free for files, dials and commands. */
const RESERVE = 16;
/** How long a count of the open descriptors is good for, in milliseconds. */
const FRESH = 50;

/** The system's limit for this process; Infinity where it does not say. */
function softLimit(): number {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1];
    return soft === undefined ? Infinity : Number(soft);
  } catch {
    return Infinity;
  }
}

function countOpen(): number {
  try {
    // Without the one that reads the folder.
    return readdirSync('/proc/self/fd').length - 1;
  } catch {
    // There is none left to read the folder with.
    return Infinity;
  }
}

/** The descriptor of an arrival's socket; -1 where it has none. */
function numberOf({ raw }: Arrival): number {
  // A datagram socket would warn.
  return raw instanceof Socket ? (descriptorOf(raw) ?? -1) : -1;
}

/**
 * Watches how close this process is to its limit of open descriptors. The kernel always hands out the lowest free number: a high number
 * means that all below are in use, so nothing is counted until the highest have been reached once. Where there is none left, Node accepts
 * connections and closes them without a word; here the last ones are kept in reserve, and each connection that is refused for lack of one
 * is reported.
 */
export class Descriptors {
  readonly limit: number;
  /** Descriptors kept for other things than accepted connections. */
  readonly reserve: number;
  readonly #count: () => number;
  readonly #now: () => number;
  /** The numbers of the reserve have been in use: from then on low ones say nothing. */
  #reached = false;
  #used = 0;
  #counted = -Infinity;
  #scarce = false;

  constructor(limit: number = softLimit(), count: () => number = countOpen, now: () => number = () => monotonicNow()) {
    this.limit = limit;
    this.reserve = Math.min(RESERVE, Math.floor(limit / 8));
    this.#count = count;
    this.#now = now;
  }

  /** A connection was opened. True: it took one of the last descriptors. */
  took(arrival: Arrival): boolean {
    if (numberOf(arrival) >= this.limit - this.reserve) {
      this.#reached = true;
      this.#tell(true, this.limit - this.reserve + 1);
      return true;
    }
    return this.#reached && this.#inUse() > this.limit - this.reserve;
  }

  /** Whether there is room for connections again; it counts. */
  get hasRoom(): boolean {
    if (this.limit === Infinity) return true;
    this.#counted = -Infinity;
    return this.#inUse() <= this.limit - 2 * this.reserve;
  }

  #inUse(): number {
    const now = this.#now();
    if (now - this.#counted < FRESH) return this.#used;
    this.#counted = now;
    this.#used = this.#count();
    if (this.#used > this.limit - this.reserve) this.#tell(true, this.#used);
    else if (this.#used <= this.limit - 2 * this.reserve) this.#tell(false, this.#used);
    return this.#used;
  }

  #tell(scarce: boolean, used: number): void {
    if (scarce === this.#scarce) return;
    this.#scarce = scarce;
    publish(scarce ? 'descriptors.scarce' : 'descriptors.enough', {
      limit: this.limit,
      used: Math.min(used, this.limit),
      reserve: this.reserve,
    });
  }
}

/** The descriptors of this process. */
export const descriptors = new Descriptors();
