import type { Clock, ClockTimer } from '../../clock.js';
import { careful } from '../../diagnostics/careful.js';
import type { CallTrace } from '../../diagnostics/trace-types.js';
import { callTraces } from '../../diagnostics/traces.js';

/** Upper bounds of the buckets in milliseconds; one more bucket holds what is above. */
const BOUNDS = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000];
/** Seconds of one slice of the time that is kept, and how many are: five minutes. */
const EVERY = 5;
const SLICES = 60;
/** Pools that are kept at most. */
const MOST = 500;

/** Times of the calls of one pool in the last minutes, in milliseconds. */
export interface LatencyFacts {
  readonly count: number;
  /** At most so long: the upper bound of the bucket that the quantile lies in; null: longer than all bounds. */
  readonly p50: number | null;
  readonly p99: number | null;
  /** Calls in each bucket, the one above all bounds last. */
  readonly buckets: readonly number[];
}

/** Times that calls waited, and ran. */
export interface PoolLatency {
  readonly wait: LatencyFacts;
  readonly run: LatencyFacts;
}

function bucketOf(ms: number): number {
  const at = BOUNDS.findIndex(bound => ms <= bound);
  return at < 0 ? BOUNDS.length : at;
}

/** Counts of the last minutes by bucket: what is older than that leaves them, slice by slice. */
class Window {
  readonly #slices: Uint32Array[] = [];
  readonly #sums = new Array<number>(BOUNDS.length + 1).fill(0);
  #count = 0;

  add(ms: number): void {
    if (this.#slices.length === 0) this.turn();
    const bucket = bucketOf(ms);
    this.#slices.at(-1)![bucket]!++;
    this.#sums[bucket]!++;
    this.#count++;
  }

  /** Begins another slice. */
  turn(): void {
    this.#slices.push(new Uint32Array(BOUNDS.length + 1));
    if (this.#slices.length <= SLICES) return;
    for (const [bucket, count] of this.#slices.shift()!.entries()) {
      this.#sums[bucket]! -= count;
      this.#count -= count;
    }
  }

  get facts(): LatencyFacts {
    return { count: this.#count, p50: this.#quantile(0.5), p99: this.#quantile(0.99), buckets: this.#sums };
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  #quantile(part: number): number | null {
    let seen = 0;
    const at = this.#sums.findIndex(count => (seen += count) >= part * this.#count);
    return BOUNDS[at] ?? null;
  }
}

/**
 * The time that the calls of each pool wait and run. Listens to the calls while a page is open only: a call that nothing listens to costs nothing.
 */
export class Latencies {
  readonly #clock: Clock;
  readonly #pools = new Map<string, { readonly wait: Window; readonly run: Window }>();
  readonly #onEnd: (call: unknown) => void;
  #timer: ClockTimer | undefined;

  constructor(app: string, clock: Clock) {
    this.#clock = clock;
    this.#onEnd = careful(app, 'the page', (call: unknown) => {
      if ((call as CallTrace).app === app) this.#add(call as CallTrace);
    });
  }

  /** Upper bounds of the buckets in milliseconds. */
  get bounds(): readonly number[] {
    return BOUNDS;
  }

  start(): void {
    if (this.#timer) return;
    callTraces.asyncEnd.subscribe(this.#onEnd);
    this.#tick();
  }

  /** Forgets what it has: minutes in which nothing listened would be missing. */
  stop(): void {
    if (!this.#timer) return;
    this.#timer.cancel();
    this.#timer = undefined;
    callTraces.asyncEnd.unsubscribe(this.#onEnd);
    this.#pools.clear();
  }

  pool(id: string): PoolLatency | undefined {
    const kept = this.#pools.get(id);
    return kept && { wait: kept.wait.facts, run: kept.run.facts };
  }

  #add({ worker, key, queued, started, ended }: CallTrace): void {
    const id = key === undefined ? worker : `${worker}[${key}]`;
    let kept = this.#pools.get(id);
    if (!kept) {
      if (this.#pools.size >= MOST) return;
      this.#pools.set(id, (kept = { wait: new Window(), run: new Window() }));
    }
    kept.wait.add(Math.max(0, (started ?? ended!) - queued));
    if (started !== undefined) kept.run.add(Math.max(0, ended! - started));
  }

  readonly #tick = (): void => {
    for (const [id, { wait, run }] of this.#pools) {
      for (const window of [wait, run]) window.turn();
      if (wait.isEmpty) this.#pools.delete(id);
    }
    this.#timer = this.#clock.after(EVERY * 1_000, this.#tick, false);
  };
}
