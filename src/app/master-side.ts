import { isWorkerProcess } from './worker-process.js';

/** What only a master needs: pools, hosts, the assembly of all parts. A worker's process would spend a fifth of its start on loading it. */
export function masterSide(): Promise<typeof import('./assembly.js')> {
  return import('./assembly.js');
}

// Loaded while the application's own modules are, so that `bootstrap()` finds it there. Whoever calls `bootstrap()` is told what is wrong with it.
if (!isWorkerProcess()) masterSide().catch(() => {});
