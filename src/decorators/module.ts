import type { Ctor } from './ctor.js';
import { onClass } from './metadata.js';
import type { Discovery, ModuleOptions } from './injection/provider-types.js';

/**
 * Says what an application consists of. Modules are flat: `imports` merges.
 * @example @Module({ connections: [EvalConnection], workers: [EvalWorker] }) class AppModule {}
 */
export function Module(options: ModuleOptions = {}): (target: Ctor) => void {
  return onClass(() => ({ kind: 'module', options }));
}

/**
 * The workers of a folder: its modules `*.worker.js`, `.mjs` and `.ts`, without subfolders. Nothing else is loaded.
 * @example @Module({ workers: [discover(new URL('./workers/', import.meta.url))] })
 */
export function discover(folder: URL): Discovery {
  return Object.freeze({ folder });
}
