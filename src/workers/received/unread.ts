import { totalmem } from 'node:os';
import process from 'node:process';

/** Keeps bytes that a process sent until they are taken. */
export interface Keeper {
  /** Bytes that it keeps. */
  readonly unread: number;
  /** All keepers together keep too much, and this one most: it has to drop its items. */
  overflow(): void;
}

const MB = 1024 * 1024;
/** Bytes that streams of one process may have unread, or four of its largest values. */
const MOST_OF_PROCESS = 64 * MB;
/** Bytes that streams of all processes may have unread: a quarter of the memory there is, within these. */
const LEAST_OF_ALL = 64 * MB;
const MOST_OF_ALL = 256 * MB;

/** Keepers, and a limit for what they keep together: beyond it the one that keeps most lets go. */
export class UnreadBytes {
  readonly #most: number;
  readonly #within: UnreadBytes | undefined;
  readonly #keepers = new Set<Keeper>();
  #bytes = 0;

  constructor(most: number, within?: UnreadBytes) {
    this.#most = most;
    this.#within = within;
  }

  /** Bytes that are kept at present. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Counts more kept bytes. Some keeper may have to let go: perhaps this one. */
  keep(keeper: Keeper, bytes: number): void {
    this.#add(keeper, bytes);
    this.#check();
  }

  /** Counts fewer kept bytes. */
  forget(keeper: Keeper, bytes: number): void {
    this.#bytes -= bytes;
    if (keeper.unread === 0) this.#keepers.delete(keeper);
    this.#within?.forget(keeper, bytes);
  }

  #add(keeper: Keeper, bytes: number): void {
    this.#keepers.add(keeper);
    this.#bytes += bytes;
    if (this.#within) this.#within.#add(keeper, bytes);
  }

  #check(): void {
    if (this.#bytes > this.#most) this.#heaviest()?.overflow();
    if (this.#within) this.#within.#check();
  }

  #heaviest(): Keeper | undefined {
    let heaviest: Keeper | undefined;
    for (const keeper of this.#keepers) if (heaviest === undefined || keeper.unread > heaviest.unread) heaviest = keeper;
    return heaviest;
  }
}

function memory(): number {
  const limit = process.constrainedMemory?.() ?? 0;
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

const all = new UnreadBytes(Math.min(MOST_OF_ALL, Math.max(LEAST_OF_ALL, memory() / 4)));

/** The limit of unread bytes for streams of one process, within the limit for those of all. */
export function unreadOfProcess(maxMessageSize: number): UnreadBytes {
  return new UnreadBytes(Math.max(MOST_OF_PROCESS, 4 * (maxMessageSize || Infinity)), all);
}
