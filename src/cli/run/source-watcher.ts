import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, watch, type FSWatcher } from 'node:fs';
import { join } from 'node:path';
import { guard, NO_VICTIM } from '../../guard.js';
import { clearTimeout, setTimeout } from '../../system-timers.js';

/** Files that an application may be made of. */
const SOURCE = /\.(?:[cm]?[jt]sx?|json)$/;
const IGNORED: ReadonlySet<string> = new Set(['node_modules', '.git', 'coverage']);
/** Milliseconds without a further change, after which the changes are told: a compiler writes many files. */
const SETTLED = 150;

/** Digests of the sources below a folder, by path. Empty while the folder is away. */
function digests(folder: string, found = new Map<string, string>()): ReadonlyMap<string, string> {
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (!IGNORED.has(entry.name)) digests(path, found);
      } else if (SOURCE.test(entry.name)) found.set(path, createHash('sha1').update(readFileSync(path)).digest('base64'));
    }
  } catch {
    // Removed meanwhile.
  }
  return found;
}

/** The sources below a folder, by what is in them: a file that was written anew with the same text has not changed. */
export class SourceWatcher {
  readonly #folder: string;
  readonly #onChange: (files: readonly string[]) => void;
  #watcher: FSWatcher | undefined;
  #known: ReadonlyMap<string, string>;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** @param onChange called with the files that have changed, appeared or gone */
  constructor(folder: string, onChange: (files: readonly string[]) => void) {
    this.#folder = folder;
    this.#onChange = onChange;
    this.#known = digests(folder);
    this.#watch();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#watcher?.close();
  }

  /** Watches the folder that has this name now: one that was removed and made anew, as builds do, is another one for the system. */
  #watch(): void {
    this.#watcher?.close();
    try {
      const watcher = watch(
        this.#folder,
        { recursive: true },
        guard(NO_VICTIM, () => this.#later()),
      );
      watcher.on(
        'error',
        guard(NO_VICTIM, () => this.#later()),
      );
      this.#watcher = watcher;
    } catch {
      this.#watcher = undefined;
      this.#later();
    }
  }

  #later(): void {
    clearTimeout(this.#timer);
    if (!this.#closed) this.#timer = setTimeout(() => this.#look(), SETTLED);
  }

  #look(): void {
    // Before it is read, so that no change is missed between the two.
    this.#watch();
    const now = digests(this.#folder);
    const names = new Set([...this.#known.keys(), ...now.keys()]);
    const changed = [...names].filter(name => this.#known.get(name) !== now.get(name));
    this.#known = now;
    if (changed.length > 0) this.#onChange(changed);
  }
}
