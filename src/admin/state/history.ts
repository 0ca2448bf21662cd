import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks';
import type { Clock, ClockTimer } from '../../clock.js';
import type { Inspection } from '../../app/report/inspection-types.js';

/** Seconds between two samples, and how many are kept: five minutes. */
const EVERY = 5;
const MOST = 60;
/** Nanoseconds in a millisecond. */
const MS = 1e6;
/** How often the event loop is looked at, in milliseconds: what is measured contains it. */
const RESOLUTION = 20;

/** The last minutes of one pool, oldest first. */
export interface PoolHistory {
  /** Calls that ended, a second. */
  readonly rate: readonly number[];
  readonly waiting: readonly number[];
}

/** The delay of the event loop since the last look, in milliseconds. */
export interface LoopFacts {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

interface Kept {
  rate: number[];
  waiting: number[];
  ended: number;
}

function push(list: number[], value: number): void {
  list.push(value);
  if (list.length > MOST) list.shift();
}

function milliseconds(nanoseconds: number): number {
  return Number.isFinite(nanoseconds) ? Math.max(0, Math.round((nanoseconds / MS - RESOLUTION) * 10) / 10) : 0;
}

/** Samples the history that a new visitor is shown: calls a second and queues of the last minutes. */
export class History {
  readonly #inspection: Inspection;
  readonly #clock: Clock;
  readonly #pools = new Map<string, Kept>();
  readonly #connections: number[] = [];
  readonly #delay: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION });
  readonly #delays: number[] = [];
  #loop: LoopFacts = { p50: 0, p99: 0, max: 0 };
  #timer: ClockTimer | undefined;

  constructor(inspection: Inspection, clock: Clock) {
    this.#inspection = inspection;
    this.#clock = clock;
    this.#delay.enable();
    this.#sample();
  }

  /** How many seconds lie between two values. */
  get every(): number {
    return EVERY;
  }

  pool(id: string): PoolHistory | undefined {
    return this.#pools.get(id);
  }

  get connections(): readonly number[] {
    return this.#connections;
  }

  get loop(): LoopFacts {
    return this.#loop;
  }

  /** Largest delay of each sample, in milliseconds. */
  get delays(): readonly number[] {
    return this.#delays;
  }

  close(): void {
    this.#timer?.cancel();
    this.#delay.disable();
  }

  #sample(): void {
    const pools = this.#inspection.pools();
    const started = new Set(pools.map(({ id }) => id));
    for (const id of this.#pools.keys()) if (!started.has(id)) this.#pools.delete(id);
    for (const { id, done, failed, queued } of pools) {
      const ended = done + failed;
      let kept = this.#pools.get(id);
      if (!kept) this.#pools.set(id, (kept = { rate: [], waiting: [], ended }));
      push(kept.rate, Math.max(0, ended - kept.ended) / EVERY);
      push(kept.waiting, queued);
      kept.ended = ended;
    }
    push(this.#connections, this.#inspection.connectionCount);
    this.#loop = {
      p50: milliseconds(this.#delay.percentile(50)),
      p99: milliseconds(this.#delay.percentile(99)),
      max: milliseconds(this.#delay.max),
    };
    push(this.#delays, this.#loop.max);
    this.#delay.reset();
    this.#timer = this.#clock.after(EVERY * 1_000, () => this.#sample(), false);
  }
}
