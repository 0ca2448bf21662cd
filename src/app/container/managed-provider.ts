import type { ProviderBlueprint, TimerBlueprint } from '../../blueprint/types.js';
import type { ExitReason, WorkerProcess } from '../../decorators/worker/worker-types.js';
import { publish } from '../../diagnostics.js';
import { asError } from '../../errors.js';
import type { Timer, Timers } from '../../reactor/index.js';
import type { Workers } from '../../workers/workers.js';
import { readWorker, type Ctor } from '../../blueprint/index.js';

type Method = (...args: unknown[]) => unknown;

/** Calls a hook; what it throws is the promise's rejection. */
export async function callHook(instance: object, key: PropertyKey, ...args: unknown[]): Promise<unknown> {
  return (instance as Record<PropertyKey, Method>)[key]!(...args);
}

/** Sets the timers of something that is no connection: what they throw is logged, and they go on. */
export function startTimers(
  { timers, app }: Pick<ManagedProviderHost, 'timers' | 'app'>,
  blueprints: readonly TimerBlueprint[],
  instance: object,
  handler: string,
): readonly Timer[] {
  return blueprints.map(({ kind, delay, key }) =>
    timers[kind](
      delay,
      () => (instance as Record<PropertyKey, Method>)[key]!(),
      error => publish('timer.error', { app, handler, timer: String(key), error: asError(error) }),
    ),
  );
}

/** A managed provider's side of its container. */
export interface ManagedProviderHost {
  /** The application's name, for events. */
  readonly app: string;
  readonly timers: Timers;
  /** Undefined in a worker's process. */
  readonly workers: Workers | undefined;
  /** Those that take calls at this moment. */
  readyProcesses(): readonly WorkerProcess[];
  subscribe(token: object, listener: (item: unknown) => void): Disposable;
}

/** Something with hooks that lives as long as the application: a provider, or a proxy. */
export class ManagedProvider {
  readonly instance: object;
  readonly #blueprint: ProviderBlueprint;
  readonly #world: ManagedProviderHost;
  #ends: (() => void)[] = [];
  #started = false;
  #stopping: Promise<void> | undefined;

  constructor(instance: object, blueprint: ProviderBlueprint, world: ManagedProviderHost) {
    this.instance = instance;
    this.#blueprint = blueprint;
    this.#world = world;
  }

  /** Runs `@OnStart`, then lets timers, channels and worker events in. Rejects with what a hook throws. */
  async start(): Promise<void> {
    const { start, timers, channels, name } = this.#blueprint;
    for (const key of start) await callHook(this.instance, key);
    this.#started = true;
    // Stopped while it started: its @OnStop hooks have not run yet.
    if (this.#stopping) return this.#runStop();
    for (const timer of startTimers(this.#world, timers, this.instance, name)) this.#ends.push(() => timer.cancel());
    for (const { token, key } of channels) {
      const subscription = this.#world.subscribe(token, item => this.#notify(key, item));
      this.#ends.push(() => subscription[Symbol.dispose]());
    }
    this.#watchWorkers();
  }

  /** Ends timers and subscriptions, then runs `@OnStop`. Never rejects: what a hook throws is logged. Idempotent. */
  stop(): Promise<void> {
    return (this.#stopping ??= this.#stop());
  }

  async #stop(): Promise<void> {
    for (const end of this.#ends.splice(0)) end();
    if (this.#started) await this.#runStop();
  }

  async #runStop(): Promise<void> {
    for (const key of this.#blueprint.stop) {
      await callHook(this.instance, key).catch((error: unknown) => this.#failed(key, error));
    }
  }

  #watchWorkers(): void {
    const { workers } = this.#world;
    if (!workers) return;
    const { workerStart, workerExit } = this.#blueprint;
    const of = (worker: Ctor, process: WorkerProcess): boolean => readWorker(worker).name === process.handle.name;
    if (workerStart.length > 0) {
      // The first processes were ready before anything else started: they are told of, too.
      for (const process of this.#world.readyProcesses()) {
        for (const { worker, key } of workerStart) if (of(worker, process)) this.#notify(key, process);
      }
      const subscription = workers.on('ready', process => {
        for (const { worker, key } of workerStart) if (of(worker, process)) this.#notify(key, process);
      });
      this.#ends.push(() => subscription[Symbol.dispose]());
    }
    if (workerExit.length > 0) {
      const subscription = workers.on('exit', (process: WorkerProcess, why: ExitReason) => {
        for (const { worker, key } of workerExit) if (of(worker, process)) this.#notify(key, process, why);
      });
      this.#ends.push(() => subscription[Symbol.dispose]());
    }
  }

  #notify(key: PropertyKey, ...args: unknown[]): void {
    callHook(this.instance, key, ...args).catch((error: unknown) => this.#failed(key, error));
  }

  #failed(key: PropertyKey, error: unknown): void {
    publish('hook.error', { app: this.#world.app, handler: this.#blueprint.name, hook: String(key), error: asError(error) });
  }
}
