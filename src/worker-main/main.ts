/**
 * Runs first in a worker's process or thread. The order matters: signals are ignored and the link is taken before anything else is loaded.
 */
import module from 'node:module';
import process from 'node:process';
import { isMainThread } from 'node:worker_threads';

// From Node 22.1 on what was compiled for earlier starts is used again. A worker with permissions may not write the cache.
if (!('permission' in process)) (module as { enableCompileCache?(): unknown }).enableCompileCache?.();

if (isMainThread) {
  const { prepareProcess } = await import('../tasks/start/process-setup.js');
  const link = prepareProcess();
  const { serveWorker } = await import('./serve.js');
  serveWorker(link);
} else {
  const { prepareThread } = await import('../tasks/start/thread-setup.js');
  const link = prepareThread();
  const { serveWorkerThread } = await import('./serve.js');
  serveWorkerThread(link);
}
