import process from 'node:process';
import { LINK_FD } from '../../hosts/child-contract.js';
import { SocketQueue } from '../sockets/socket-queue.js';
import { TaskRuntime } from '../runtime.js';
import { endOnUncaught } from './uncaught.js';
import { prepareThread, type ThreadLink } from './thread-setup.js';
import type { LoadWorker } from './worker-environment.js';

/** How a thread becomes a worker. */
export interface ServeThreadOptions {
  /** Called once, with BOOT: imports the module that it names and finds the worker in it. */
  readonly load: LoadWorker;
  /** Result of {@link prepareThread}, where the entry called it before its other imports. */
  readonly link?: ThreadLink;
}

/**
 * Makes this thread a worker: reads BOOT from the link, loads and starts the worker, executes calls, and ends with the link.
 * @example serveThread({ load: boot => loadDeclared(boot) });
 */
export function serveThread({ load, link = prepareThread() }: ServeThreadOptions): void {
  let loading: Promise<unknown> = Promise.resolve();
  const runtime = new TaskRuntime(link.stream, {
    mark: link.mark,
    // No socket can be passed to a thread; the worker listens by itself.
    arrivals: new SocketQueue(handle => handle.close()),
    load: boot => {
      const loaded = load(boot);
      loading = loaded.catch(() => {});
      return loaded;
    },
    // In a thread this ends the thread alone. Files that it is just opening would stay open in the process.
    onEnded: ({ isClean: clean }) => void loading.then(() => process.exit(clean ? 0 : 1)),
  });
  endOnUncaught((error, fatal) => runtime.onUncaughtError(error, fatal));
  process.on('exit', () => runtime.writeOut(LINK_FD));
}
