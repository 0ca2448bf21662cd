/** How many latencies are kept; later ones take the places of the first, so that a fast contender is not measured by its warm-up. */
const ROOM = 1 << 17;

/** Latencies of one measurement, in memory that was there before it began. */
export class Latencies {
  readonly #kept = new Float64Array(ROOM);
  #count = 0;

  /** Milliseconds. */
  add(latency: number): void {
    this.#kept[this.#count++ & (ROOM - 1)] = latency;
  }

  /** The latency in microseconds that this share of the calls did not exceed. */
  percentile(share: number): number {
    const sorted = this.#kept.slice(0, Math.min(this.#count, ROOM)).sort();
    return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0) * 1000;
  }
}
