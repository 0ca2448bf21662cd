import type { Told } from './view.js';

/** Changes since the last message. */
export interface Change {
  readonly set: Readonly<Record<string, unknown>>;
  readonly drop: readonly string[];
}

/** The state that one visitor has seen: only differences are sent. */
export class Differences {
  /** As it was written. */
  #known = new Map<string, string>();

  /** The changes to send to the visitor; undefined: none. From then on they count as seen. */
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
