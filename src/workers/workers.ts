import type { Ctor } from '../decorators/ctor.js';
import type { StartArgs, WorkerHandle, WorkersEvents, WorkerStatus } from '../decorators/worker/worker-types.js';
import { anything, checkGiven, duration, text } from '../option-rules.js';
import { toMilliseconds, type Duration } from '../units.js';
import type { Workforce } from './workforce.js';

/**
 * The workers of this application. Inject it in the master: starts, stops, watches.
 * @example
 * constructor(private readonly workers: Workers) {}
 * @OnStart() async startGold() { await this.workers.start(TenantWorker, { key: 'gold', options: { quality: 3 } }); }
 */
export class Workers {
  readonly #workforce: Workforce;

  /** Made by the application. */
  constructor(workforce: Workforce) {
    this.#workforce = workforce;
  }

  /**
   * Starts a worker; resolves when it is ready. The same name and key again gives the running handle.
   * @throws WorkerExistsError when it runs with other options, WorkerUnavailableError when it cannot start, BoundaryError when its
   * `startOptions` refuse the options, ClosingError when the application closes.
   */
  async start<C extends Ctor>(worker: C, ...[given]: StartArgs<C>): Promise<WorkerHandle> {
    checkGiven('workers.start()', given, { key: text, options: anything });
    const { key, options } = (given ?? {}) as { key?: string | undefined; options?: unknown };
    return this.#workforce.start(this.#workforce.blueprint(worker), key, options);
  }

  /**
   * Stops a started worker: it takes no more calls, finishes those it has within `timeout` (default: its `closeTimeout`), and is
   * killed if it has not. @throws WorkerNotFoundError when it is not started.
   */
  async stop(handle: WorkerHandle, options?: { timeout?: Duration }): Promise<void> {
    checkGiven('workers.stop()', options, { timeout: duration });
    await this.#workforce.stop(handle, options?.timeout === undefined ? undefined : toMilliseconds(options.timeout));
  }

  /**
   * Replaces all processes of a worker without losing a call: each one stops when its replacement is ready.
   * @throws WorkerNotFoundError when it is not started, WorkerUnavailableError when a replacement cannot start: then the old ones stay.
   */
  async restart(worker: Ctor): Promise<void> {
    await this.#workforce.restart(this.#workforce.blueprint(worker));
  }

  /** The handle of a started worker. */
  get(worker: Ctor, key?: string): WorkerHandle | undefined {
    return this.#workforce.get(this.#workforce.blueprint(worker), key)?.handle;
  }

  /** All started workers. */
  list(): readonly WorkerHandle[] {
    return this.#workforce.list();
  }

  /** A row per process, as the master sees them, even while all are busy. The first row of a worker counts those waiting in its queue. */
  status(): readonly WorkerStatus[] {
    return this.#workforce.status();
  }

  /** True when half of its queue is taken: a producer does well to wait for {@link drained}. */
  needsDrain(worker: Ctor, key?: string): boolean {
    return this.#workforce.get(this.#workforce.blueprint(worker), key)?.needsDrain ?? false;
  }

  /** Resolves when its queue has room again; at once when it has. */
  async drained(worker: Ctor, key?: string): Promise<void> {
    await this.#workforce.get(this.#workforce.blueprint(worker), key)?.drained();
  }

  /**
   * Tells what happens to processes, until it is disposed of.
   * @throws UsageError for an event that there is not.
   * @example workers.on('exit', ({ handle, pid }, why) => log.warn({ worker: handle.name, pid, why }))
   */
  on<N extends keyof WorkersEvents>(event: N, listener: (...args: WorkersEvents[N]) => unknown): Disposable {
    return this.#workforce.on(event, listener);
  }
}
