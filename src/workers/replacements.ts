import type { Member } from './member.js';

/** What replaces processes of a pool. */
export interface ReplacementDesk {
  /** False while none is to be started: the pool stops, or the last start failed and its delay has not passed. */
  mayStart(): boolean;
  start(): Pick<Member, 'readiness'>;
}

/** Ready processes that are to go: one after the other, and each when its replacement is ready. */
export class Replacements {
  readonly #desk: ReplacementDesk;
  /** In the order in which their replacements are started. */
  readonly #leaving = new Set<Member>();
  #starting = false;

  constructor(desk: ReplacementDesk) {
    this.#desk = desk;
  }

  add(member: Member): void {
    if (member.state !== 'ready' || this.#leaving.has(member)) return;
    this.#leaving.add(member);
    this.#next();
  }

  /** It takes no more calls, for whatever reason. */
  forget(member: Member): void {
    this.#leaving.delete(member);
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
