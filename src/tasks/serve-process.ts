import process from 'node:process';
import type { BootMessage } from '../wire/protocol.js';
import { LINK_FD } from '../hosts/child-contract.js';
import { prepareProcess, type ProcessLink } from './process-setup.js';
import { TaskRuntime } from './runtime.js';
import { endOnStray } from './stray.js';
import type { LoadWorker } from './worker-environment.js';

export interface ServeOptions {
  /** Called once, with BOOT: imports the module that it names and finds the worker in it. What it throws is told to the master whole. */
  readonly load: LoadWorker;
  /** What {@link prepareProcess} gave, where the entry called it before its other imports. */
  readonly link?: ProcessLink;
}

/**
 * Makes this process a worker: reads BOOT from the link, loads and starts the worker, executes calls, and ends with the link.
 * @example serveProcess({ load: async boot => loadDeclared(await importSource(boot.source)) });
 */
export function serveProcess({ load, link = prepareProcess() }: ServeOptions): void {
  const runtime = new TaskRuntime(link.stream, {
    mark: link.mark,
    arrivals: link.arrivals,
    load,
    watchful: true,
    booting: nameProcess,
    // The master has gone, or has heard everything: whatever user code still has open, there is nobody to do it for.
    ended: ({ clean }) => process.exit(clean ? 0 : 1),
  });
  endOnStray((error, fatal) => runtime.stray(error, fatal));
  // A task may call process.exit(): answers of tasks that had finished before leave all the same.
  process.on('exit', () => runtime.writeOut(LINK_FD));
}

function nameProcess({ name, key }: BootMessage): void {
  process.title = `packet-ts ${name}${key === undefined ? '' : `[${key}]`}`;
}
