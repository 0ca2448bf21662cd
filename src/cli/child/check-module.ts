import { basename } from 'node:path';
import { hookBootstrap } from '../../app/start/bootstrap-hook.js';
import type { BootstrapOptions } from '../../app/start/bootstrap-types.js';
import { checkApplication } from '../../app/read-application.js';
import type { Ctor } from '../../decorators/ctor.js';
import type { Mistake } from '../../errors.js';
import { moduleClassOf } from '../module-class.js';
import { exitWith, exitWithError, importModule } from './import-module.js';
import type { ChildPlan } from './plan.js';

function report({ file }: ChildPlan, mistakes: readonly Mistake[]): string {
  const name = basename(file);
  if (mistakes.length === 0) return `${name}: no mistakes`;
  const blocks = mistakes.map(
    ({ where, member, wrong, remedy }) => `  ${where}${member === undefined ? '' : `.${member}`}: ${wrong}\n      ${remedy}`,
  );
  return `${name}: ${mistakes.length === 1 ? '1 mistake' : `${mistakes.length} mistakes`}\n${blocks.join('\n')}`;
}

/** Tells every mistake of the application that a module exports, or that it would start with `bootstrap()`. Ends the process: 0 none, 1 some. */
export async function checkModule(plan: ChildPlan): Promise<void> {
  try {
    let asked!: (what: readonly [Ctor, BootstrapOptions]) => void;
    const bootstrapped = new Promise<readonly [Ctor, BootstrapOptions]>(resolve => (asked = resolve));
    hookBootstrap({
      begin: (module, options) => {
        asked([module, options]);
        return new Promise<never>(() => {});
      },
      defaults: {},
      onStarted() {},
      onFailed() {},
    });
    // A module that awaits its bootstrap() is never imported to its end here.
    const imported = importModule(plan).then(exports => [moduleClassOf(exports, basename(plan.file), plan.export), {}] as const);
    const [module, options] = await Promise.race([bootstrapped, imported]);
    const mistakes = await checkApplication(module, options);
    exitWith(mistakes.length === 0 ? 0 : 1, report(plan, mistakes), process.stdout);
  } catch (error) {
    exitWithError(error, plan);
  }
}
