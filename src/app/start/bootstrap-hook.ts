import type { Ctor } from '../../decorators/ctor.js';
import type { App } from '../app.js';
import type { Inspection } from '../report/inspection-types.js';
import type { BootstrapOptions } from './bootstrap-types.js';

/** How the command line takes part in a `bootstrap()` that the user's module calls. */
export interface BootstrapHook {
  /** `bootstrap()` was called, and nothing has been done yet. A promise takes its place: nothing is started then. */
  begin(module: Ctor, options: BootstrapOptions): Promise<never> | undefined;
  /** Options for what the call does not say. */
  readonly defaults: BootstrapOptions;
  /** Called when the application listens. */
  onStarted(app: RunningApp): void;
  /** Called when the application could not be started. */
  onFailed(error: Error): void;
}

/** An application that listens, as the command line drives it. */
export interface RunningApp {
  readonly app: App;
  readonly inspection: Inspection;
  /** Another process has taken over: it finishes what it has, and closes. Resolves with whether that was graceful. */
  handOver(): Promise<boolean>;
}

// Shared by copies of the package: the command and the module may have different ones.
const HOOK = Symbol.for('packet-ts.bootstrap-hook');
const globals = globalThis as unknown as Record<symbol, BootstrapHook | undefined>;

/** The hook of this process; undefined: `bootstrap()` was not called under the command line. */
export function bootstrapHook(): BootstrapHook | undefined {
  return globals[HOOK];
}

/** Installs the hook. Once a process, before the user's module is imported. */
export function hookBootstrap(hook: BootstrapHook): void {
  globals[HOOK] = hook;
}
