import type { WorkerBlueprint } from '../blueprint/types.js';
import type { CallSettings } from './call/call.js';
import type { Owner } from './call/owner.js';
import type { WorkerRoute } from './route.js';
import { failedCall } from './call/stream-call.js';
import { wrongOptions, type Target } from './call/call-target.js';

type Method = (this: Client, input?: unknown, options?: CallSettings) => unknown;

/** The client that `@InjectWorker` injects. Its tasks are methods of a prototype that is made once per worker class. */
export class Client {
  readonly #route: WorkerRoute;
  readonly #owner: Owner;

  constructor(route: WorkerRoute, owner: Owner) {
    this.#route = route;
    this.#owner = owner;
  }

  ask(data: unknown, options?: CallSettings): unknown {
    const wrong = options === undefined ? undefined : wrongOptions(this.#route.targets.ask, options);
    if (wrong) return Promise.reject(wrong);
    return this.#route.ask(data, options, this.#owner);
  }

  tell(data: unknown, options?: CallSettings): void {
    const wrong = options === undefined ? undefined : wrongOptions(this.#route.targets.tell, options);
    if (wrong) throw wrong;
    this.#route.tell(data, options, this.#owner);
  }

  /** The method of one task. */
  static task(target: Target): Method {
    return function (input, options) {
      const wrong = options === undefined ? undefined : wrongOptions(target, options);
      if (wrong) return failedCall(target, wrong);
      return this.#route.invoke(target, input, options, this.#owner);
    };
  }

  /** A public method without `@Task`: it cannot be called. */
  static other(name: string): Method {
    return function () {
      return Promise.reject(this.#route.notFound(name));
    };
  }
}

const classes = new WeakMap<WorkerBlueprint, typeof Client>();

function classFor(route: WorkerRoute): typeof Client {
  const { worker, targets } = route;
  let cls = classes.get(worker);
  if (!cls) {
    cls = class extends Client {};
    const define = (name: string, value: Method): unknown =>
      Object.defineProperty(cls!.prototype, name, { value: Object.defineProperty(value, 'name', { value: name }), configurable: true });
    for (const target of targets.tasks) define(target.name, Client.task(target));
    for (const name of worker.others) if (!targets.byName.has(name)) define(name, Client.other(name));
    classes.set(worker, cls);
  }
  return cls;
}

/** A client of the worker at the end of this route, for this owner. */
export function clientOf(route: WorkerRoute, owner: Owner): Client {
  return new (classFor(route))(route, owner);
}
