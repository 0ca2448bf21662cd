import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { asError } from '../errors.js';
import { WorkerChild } from './child.js';
import type { Host, HostProcess, HostSpec } from './host.js';
import { launchPlan, type LaunchPlan } from './launch/launch-plan.js';
import { startedMarkFile, NO_MARK, type StartedMarkFile } from './mark-file.js';
import { canForbidFiles, withoutFiles } from './launch/no-files.js';
import { NotLaunched } from './launch/not-launched.js';
import { systemMemoryKills } from './proc.js';
import { registerHost } from './registry.js';
import { shareReaper, type Reaper } from './reaper.js';
import { isStartMistake } from './launch/start-mistakes.js';

export interface ProcessHostOptions {
  /** The module that a worker process runs first. */
  readonly entry: string | URL;
  /** The master's own Node flags; `process.execArgv` unless said otherwise. */
  readonly execArgv?: readonly string[];
  /** The master's environment; `process.env` unless said otherwise. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The reaper to use; its maker closes it. Default: the master's only one. */
  readonly reaper?: Reaper;
}

/** Whether the worker has permissions, and none to write to a file. */
function isWithoutFiles({ settings: { permissions } }: HostSpec): boolean {
  const write = permissions?.['write'];
  return permissions !== undefined && !(Array.isArray(write) && write.length > 0);
}

/** Runs each worker as a process of its own; the default runtime. */
class ProcessHost implements Host {
  readonly runtime = 'process';
  readonly #options: ProcessHostOptions;
  readonly #entry: string;
  readonly #reaper: Reaper;
  readonly #release: () => Promise<void>;
  /** The kernel's count of processes killed for want of memory, when it was last looked at. */
  #memoryKills = systemMemoryKills();

  constructor(options: ProcessHostOptions) {
    this.#options = options;
    const { entry } = options;
    this.#entry = typeof entry === 'string' && !entry.startsWith('file:') ? entry : fileURLToPath(entry);
    const { reaper, release } = options.reaper ? { reaper: options.reaper, release: async () => {} } : shareReaper();
    this.#reaper = reaper;
    this.#release = release;
  }

  start(spec: HostSpec): HostProcess {
    let mark: StartedMarkFile | undefined;
    let planned: LaunchPlan | undefined;
    try {
      const { args, ...plan } = (planned = launchPlan(spec, {
        entry: this.#entry,
        execArgv: this.#options.execArgv ?? process.execArgv,
        env: this.#options.env ?? process.env,
        watchdog: !this.#reaper.begin(),
        bun: process.versions['bun'],
      }));
      // A worker without permission to write must not fill the disk through its started mark: it has none where that cannot be forbidden.
      const sandboxed = isWithoutFiles(spec);
      mark = sandboxed && !canForbidFiles() ? NO_MARK : startedMarkFile(spec.name);
      const start =
        sandboxed && mark.fd !== undefined ? withoutFiles(process.execPath, args, plan.env) : { command: process.execPath, args };
      const child = spawn(start.command, start.args, {
        ...(plan.cwd === undefined ? {} : { cwd: plan.cwd }),
        ...(plan.uid === undefined || plan.gid === undefined ? {} : { uid: plan.uid, gid: plan.gid }),
        env: plan.env,
        stdio: ['ignore', 'pipe', 'pipe', 'pipe', mark.fd ?? 'ignore', ...(spec.takesSockets ? (['ipc'] as const) : [])],
      });
      return new WorkerChild(child, spec, mark, this.#reaper, () => this.#killedForMemory());
    } catch (error) {
      mark?.close();
      return new NotLaunched(asError(error), planned === undefined || isStartMistake(null, '', error));
    }
  }

  close(): Promise<void> {
    return this.#release();
  }

  #killedForMemory(): boolean {
    const before = this.#memoryKills;
    this.#memoryKills = systemMemoryKills();
    return before !== undefined && this.#memoryKills !== undefined && this.#memoryKills > before;
  }
}

/**
 * The host of worker processes.
 * @example const host = processHost({ entry: new URL('./worker-main/main.js', import.meta.url) });
 */
export function processHost(options: ProcessHostOptions): Host {
  return new ProcessHost(options);
}

registerHost({
  runtime: 'process',
  cannotKeep: [],
  sharesMaster: false,
  sharesProcess: false,
  start: ({ entry }) => {
    const { file, flags } = entry();
    return processHost({ entry: file, execArgv: [...process.execArgv, ...flags] });
  },
});
