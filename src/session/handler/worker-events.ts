import type { Ctor } from '../../blueprint/types.js';
import type { WorkerOrigin } from '../../decorators/hook-types.js';
import { publish } from '../../diagnostics.js';
import { BoundaryError } from '../../errors.js';
import { refusalOf, type Tried } from '../../schema/refusal.js';
import { Owner, type OwnerHooks } from '../../workers/call/owner.js';
import { type HandlerPlan, type Located } from './message-router.js';
import type { HandlerRunner } from './handler-runner.js';

/** Takes what a connection's own calls to workers bring back to its `@OnWorkerData` and `@OnWorkerEvent`. */
export class WorkerEvents implements OwnerHooks {
  readonly #plan: HandlerPlan;
  readonly #id: string;
  readonly #runner: HandlerRunner;

  constructor(plan: HandlerPlan, id: string, runner: HandlerRunner) {
    this.#plan = plan;
    this.#id = id;
    this.#runner = runner;
  }

  onAnswer(worker: Ctor, data: unknown): void {
    const routes = this.#plan.blueprint.workerData.filter(route => route.worker === undefined || route.worker === worker);
    if (routes.length === 0) {
      this.#reportDropped('answer', worker);
      return;
    }
    const tried: Tried[] = [];
    const accepting = routes.flatMap(({ key, validate }) => {
      const verdict = validate?.(data) ?? { value: data };
      if (!verdict.issues) return [{ key, value: verdict.value }];
      tried.push({ method: key, refused: verdict });
      return [];
    });
    for (const { key, value } of accepting) void this.#runner.runHook('OnWorkerData', [key], value);
    if (accepting.length > 0 && !tried.some(({ refused }) => refused.broken)) return;
    const error = new BoundaryError({ direction: 'output', ...refusalOf(tried), what: `answer of ${worker.name}` });
    void this.#runner.reportError(error, { during: 'schema', hook: 'OnWorkerData', message: data });
  }

  onFailure(error: Error, worker: Ctor): void {
    if (this.#plan.blueprint.hooks.error.length > 0) void this.#runner.reportError(error, { during: 'worker' });
    else this.#reportDropped('failure', worker, error);
  }

  onEvent(worker: Ctor, name: string, payload: unknown, from: WorkerOrigin): void {
    const keys = this.#plan.blueprint.workerEvents.flatMap(route => (route.worker === worker && route.event === name ? [route.key] : []));
    void this.#runner.runHook('OnWorkerEvent', keys, payload, from);
  }

  #reportDropped(what: 'answer' | 'failure', worker: Ctor, error?: Error): void {
    const { app, name: handler } = this.#plan;
    publish('call.dropped', { app, what, worker: worker.name, key: undefined, handler, connection: this.#id, error });
  }
}

/**
 * The owner of the calls that a connection makes.
 * @param queuedAs the caller it is in the fair queue; its own id where nothing else is said.
 */
export function ownerOf(
  connection: Pick<Located, 'remote' | 'id'> & { readonly runner: HandlerRunner; readonly settings: { readonly plan: HandlerPlan } },
  queuedAs?: string,
): Owner {
  const { id, remote, runner, settings } = connection;
  return new Owner('connection', id, { connection: { id, remote } }, new WorkerEvents(settings.plan, id, runner), queuedAs);
}
