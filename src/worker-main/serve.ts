import { becomeWorkerProcess } from '../app/worker-process.js';
import { loadedWorker } from '../app/worker/worker-side.js';
import type { Ctor } from '../decorators/ctor.js';
import { registeredWorkers } from '../decorators/worker/worker-registry.js';
import {
  importWorker,
  prepareProcess,
  prepareThread,
  serveProcess,
  serveThread,
  type LoadWorker,
  type ProcessLink,
  type ThreadLink,
} from '../tasks/index.js';

/** This process becomes a worker: reads over the link which one it is to be, imports its module, and serves it until the link ends. */
export function serveWorker(link: ProcessLink = prepareProcess()): void {
  serveProcess({ link, load: loader() });
}

/** Serves a worker in this thread. */
export function serveWorkerThread(link: ThreadLink = prepareThread()): void {
  serveThread({ link, load: loader() });
}

function loader(): LoadWorker {
  const { reached } = becomeWorkerProcess();
  return async boot => {
    const cls = await importWorker(boot, name => classNamed(name, boot.source), reached);
    return loadedWorker(cls);
  };
}

/** The class of that name: where several modules declare one, that of the module that the master named. */
function classNamed(name: string, source: string): Ctor | undefined {
  const found = registeredWorkers(name);
  return (found.find(worker => worker.source?.url === source) ?? found[0])?.cls;
}
