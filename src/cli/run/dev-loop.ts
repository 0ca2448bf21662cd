import { dirname } from 'node:path';
import { asError } from '../../errors.js';
import { RunSupervisor } from './supervisor.js';
import { SourceWatcher } from './source-watcher.js';

/** Makes the supervisor of one run. */
export type MakeSupervisor = () => RunSupervisor;

/**
 * Runs an application and follows its sources: a changed worker is replaced in rolling fashion while connections stay open, any other change
 * reloads the application, whose listening sockets stay. An application that has ended starts again with the next change.
 */
export class DevLoop {
  readonly #make: MakeSupervisor;
  readonly #say: (line: string) => void;
  readonly #watcher: SourceWatcher;
  #supervisor: RunSupervisor;
  #changed = new Set<string>();
  #working: Promise<void> | undefined;
  #closing = false;
  #wake: (() => void) | undefined;

  constructor(file: string, make: MakeSupervisor, say: (line: string) => void) {
    this.#make = make;
    this.#say = say;
    this.#supervisor = make();
    this.#watcher = new SourceWatcher(dirname(file), files => this.#onChange(files));
  }

  get supervisor(): RunSupervisor {
    return this.#supervisor;
  }

  /** Hands a signal on; the loop ends with the application. */
  signal(signal: NodeJS.Signals): void {
    this.#closing = true;
    this.#supervisor.signal(signal);
    this.#wake?.();
  }

  /** Resolves with the exit code when a signal has ended it. */
  async run(): Promise<number> {
    for (;;) {
      const code = await this.#supervisor.run();
      if (this.#closing) {
        this.#watcher.close();
        return code;
      }
      this.#say(`the application has ended with ${code}; it starts again with the next change`);
      const next = await this.#nextSupervisor();
      if (!next) {
        this.#watcher.close();
        return code;
      }
      this.#supervisor = next;
    }
  }

  /** Waits for a change with which the module can be started; undefined: a signal came first. */
  async #nextSupervisor(): Promise<RunSupervisor | undefined> {
    for (;;) {
      if (this.#changed.size === 0 && !this.#closing) await new Promise<void>(resolve => (this.#wake = resolve));
      this.#wake = undefined;
      this.#changed.clear();
      if (this.#closing) return undefined;
      try {
        return this.#make();
      } catch (thrown) {
        // Its file is away for a moment, while it is compiled anew.
        this.#say(`${asError(thrown).message}; it is looked for again with the next change`);
      }
    }
  }

  #onChange(files: readonly string[]): void {
    for (const file of files) this.#changed.add(file);
    if (this.#wake) this.#wake();
    else this.#working ??= this.#follow().finally(() => (this.#working = undefined));
  }

  async #follow(): Promise<void> {
    while (this.#changed.size > 0 && !this.#closing) {
      const { current } = this.#supervisor;
      if (!current || !(await current.ready)) return;
      const files = this.#changed;
      this.#changed = new Set();
      const pools = current.workers.filter(({ file }) => files.has(file)).map(({ pool }) => pool);
      const isWorkersOnly = [...files].every(file => current.workers.some(worker => worker.file === file));
      const error = isWorkersOnly ? await current.restart(pools) : undefined;
      if (isWorkersOnly && error === undefined) {
        this.#say(`restarted ${pools.join(', ')}`);
        continue;
      }
      if (error !== undefined) this.#say(`${pools.join(', ')} cannot be restarted alone: ${error}`);
      await this.#supervisor.reload();
    }
  }
}
