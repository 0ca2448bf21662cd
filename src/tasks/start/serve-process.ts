import process from 'node:process';
import { ConfigurationError } from '../../errors.js';
import type { BootMessage } from '../../wire/link/protocol.js';
import { LINK_FD } from '../../hosts/child-contract.js';
import { prepareProcess, type ProcessLink } from './process-setup.js';
import { TaskRuntime } from '../runtime.js';
import { excessOfRights } from './rights.js';
import { endOnUncaught } from './uncaught.js';
import type { LoadWorker } from './worker-environment.js';

export interface ServeOptions {
  /** Called once, with BOOT: imports the module that it names and finds the worker in it. What it throws is told to the master whole. */
  readonly load: LoadWorker;
  /** Result of {@link prepareProcess}, where the entry called it before its other imports. */
  readonly link?: ProcessLink;
}

/**
 * Makes this process a worker: reads BOOT from the link, loads and starts the worker, executes calls, and ends with the link.
 * @example serveProcess({ load: boot => loadDeclared(boot) });
 */
export function serveProcess({ load, link = prepareProcess() }: ServeOptions): void {
  const runtime = new TaskRuntime(link.stream, {
    mark: link.mark,
    arrivals: link.arrivals,
    load,
    booting: boot => {
      nameProcess(boot);
      checkRights(boot, link);
    },
    // The master has gone, or has received everything: work that user code still has open has no receiver.
    onEnded: ({ isClean: clean }) => process.exit(clean ? 0 : 1),
  });
  endOnUncaught((error, fatal) => runtime.onUncaughtError(error, fatal));
  // A task may call process.exit(): answers of tasks that had finished before leave all the same.
  process.on('exit', () => runtime.writeOut(LINK_FD));
}

function nameProcess({ name, key }: BootMessage): void {
  process.title = `packet-ts ${name}${key === undefined ? '' : `[${key}]`}`;
}

/** The master's flags and environment, a configuration file, a wrapper around node: whatever granted more, the worker does not start. */
function checkRights({ name }: BootMessage, { granted }: ProcessLink): void {
  const excess = granted && excessOfRights(granted);
  if (excess === undefined) return;
  throw new ConfigurationError([
    {
      where: `worker "${name}"`,
      wrong: `its process ${excess}, in spite of its permissions`,
      remedy: 'find what grants it: flags, NODE_OPTIONS, a configuration file of Node, or whatever starts node',
    },
  ]);
}
