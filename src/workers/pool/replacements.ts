import type { PooledProcess } from '../process/pooled-process.js';

/** The pool's side of replacing processes. */
export interface ReplacementHost {
  /** False while none is to be started: the pool stops, or the last start failed and its delay has not passed. */
  mayStart(): boolean;
  start(): Pick<PooledProcess, 'readiness'>;
  /** Calls wait, there are as many processes as the pool may have, and one more can be started beside them. */
  needsRelief(): boolean;
}

/**
 * Ready processes that are to go: one after the other, and each when its replacement is ready.
 * One that is busy with a task which does not obey its signal goes where calls wait: they are not to wait for the end of `cancelGrace` and
 * a start behind it.
 */
export class Replacements {
  readonly #desk: ReplacementHost;
  /** In the order in which their replacements are started. */
  readonly #leaving = new Set<PooledProcess>();
  /** Those with a task that does not obey its signal. */
  readonly #lingering = new Set<PooledProcess>();
  #starting = false;

  constructor(desk: ReplacementHost) {
    this.#desk = desk;
  }

  add(process: PooledProcess): void {
    if (process.state !== 'ready' || this.#leaving.has(process)) return;
    this.#leaving.add(process);
    this.#next();
  }

  /** A process takes no more calls, for whatever reason. */
  forget(process: PooledProcess): void {
    this.#leaving.delete(process);
    this.#lingering.delete(process);
  }

  /** A task whose caller gave up does not end. */
  onLingering(process: PooledProcess): void {
    this.#lingering.add(process);
    this.relieve();
  }

  /** Replaces processes that calls wait for in vain. Cheap when there are none. */
  relieve(): void {
    for (const process of this.#lingering) {
      // One at a time: those that wait for the others may then have been served.
      if (this.#leaving.size > 0) return;
      if (!process.inFlight.hasLingering) this.#lingering.delete(process);
      else if (this.#desk.needsRelief() && !isPinned(process)) this.add(process);
    }
  }

  #next(): void {
    const [old] = this.#leaving;
    if (!old || this.#starting) return;
    // They stay, and are added again after their next call.
    if (!this.#desk.mayStart()) return this.#leaving.clear();
    this.#starting = true;
    void this.#desk.start().readiness.then(ready => {
      this.#starting = false;
      this.#leaving.delete(old);
      if (ready) old.drain();
      this.#next();
    });
  }
}

/** Calls wait for this very process: with it they would fail. */
function isPinned(process: PooledProcess): boolean {
  for (const call of process.bound) if (call.pin) return true;
  return false;
}
