import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, watch, type FSWatcher } from 'node:fs';
import { join, sep } from 'node:path';
import { guard, NO_VICTIM } from '../../guard.js';
import { clearTimeout, setTimeout } from '../../system-timers.js';

/** Files that an application may be made of. */
const SOURCE = /\.(?:[cm]?[jt]sx?|json)$/;
const IGNORED = /(?:^|[/\\])(?:node_modules|\.git|coverage)(?:[/\\]|$)/;
/** Milliseconds without a further change, after which the changes are told: a compiler writes many files. */
const SETTLED = 150;

/** The sources below a folder, by what is in them: a file that was written anew with the same text has not changed. */
export class SourceWatcher {
  readonly #folder: string;
  readonly #onChange: (files: readonly string[]) => void;
  readonly #watcher: FSWatcher;
  #known: ReadonlyMap<string, string>;
  #timer: NodeJS.Timeout | undefined;

  /** @param onChange called with the files that have changed, appeared or gone */
  constructor(folder: string, onChange: (files: readonly string[]) => void) {
    this.#folder = folder;
    this.#onChange = onChange;
    this.#known = this.#read();
    this.#watcher = watch(
      folder,
      { recursive: true },
      guard(NO_VICTIM, () => this.#later()),
    );
    this.#watcher.on('error', () => {});
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#watcher.close();
  }

  #later(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), SETTLED);
  }

  #look(): void {
    const now = this.#read();
    const names = new Set([...this.#known.keys(), ...now.keys()]);
    const changed = [...names].filter(name => this.#known.get(name) !== now.get(name));
    this.#known = now;
    if (changed.length > 0) this.#onChange(changed);
  }

  #read(): ReadonlyMap<string, string> {
    const found = new Map<string, string>();
    for (const name of readdirSync(this.#folder, { recursive: true, encoding: 'utf8' })) {
      if (!SOURCE.test(name) || IGNORED.test(name)) continue;
      const file = join(this.#folder, name.replaceAll('/', sep));
      try {
        found.set(file, createHash('sha1').update(readFileSync(file)).digest('base64'));
      } catch {
        // Removed meanwhile, or a folder of that name.
      }
    }
    return found;
  }
}
