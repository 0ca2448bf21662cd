import type { Told } from './view.js';

/** What has changed since the last time. */
export interface Change {
  readonly set: Readonly<Record<string, unknown>>;
  readonly drop: readonly string[];
}

/** What one visitor knows: only what is new or gone is told again. */
export class Differences {
  /** As it was written. */
  #known = new Map<string, string>();

  /** What the visitor has to be told; undefined: nothing. From then on it is known. */
  next(told: Told): Change | undefined {
    const known = new Map<string, string>();
    const set: Record<string, unknown> = {};
    let changes = 0;
    for (const [name, value] of told) {
      const text = JSON.stringify(value) ?? 'null';
      known.set(name, text);
      if (this.#known.get(name) === text) continue;
      set[name] = value ?? null;
      changes++;
    }
    const drop = [...this.#known.keys()].filter(name => !known.has(name));
    this.#known = known;
    return changes + drop.length > 0 ? { set, drop } : undefined;
  }
}
