import { basename } from 'node:path';
import { hookBootstrap } from '../../app/bootstrap-hook.js';
import { bootstrap, type BootstrapOptions } from '../../app/bootstrap.js';
import type { App } from '../../app/app.js';
import { moduleClassOf } from '../module-class.js';
import { exitWith, explain, importModule } from './import-module.js';
import type { ChildMessage, ChildPlan } from './plan.js';

/** Starts the application that a module exports, or waits for the one that it starts by itself, and tells the parent when it listens. */
export async function runModule(plan: ChildPlan): Promise<void> {
  let called = false;
  let settle!: { started(app: App): void; failed(error: Error): void };
  const own = new Promise<App>((resolve, reject) => (settle = { started: resolve, failed: reject }));
  own.catch(() => {});
  const defaults: BootstrapOptions =
    plan.closeTimeout === undefined ? {} : { closeTimeout: plan.closeTimeout as NonNullable<BootstrapOptions['closeTimeout']> };
  hookBootstrap({
    begin: () => {
      called = true;
      return undefined;
    },
    defaults,
    ...settle,
  });
  try {
    const exports = await importModule(plan);
    if (called) await own;
    else await bootstrap(moduleClassOf(exports, basename(plan.file), plan.export));
  } catch (error) {
    exitWith(1, explain(error, plan), process.stderr);
    return;
  }
  tell({ packet: 'ready' });
}

function tell(message: ChildMessage): void {
  process.send?.(message);
}
