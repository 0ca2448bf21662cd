import { WORKER_PROXY } from '../../blueprint/worker/worker-proxy.js';
import type { WorkerClient } from '../../decorators/worker/client-types.js';
import type { Instance, ProxiedWorker, ProxyShape, proxyTypes } from '../../decorators/worker/proxy-types.js';
import { UsageError } from '../../errors.js';

/** Tools of a proxy: made by its gate, taken over by its constructor. */
export interface ProxyTools {
  readonly worker: object;
  readonly own: object;
  readonly key: string | undefined;
  readonly options: unknown;
  instances(): readonly object[];
}

let current: ProxyTools | undefined;

/** Builds a proxy: whatever {@link WorkerProxy} is constructed meanwhile gets these tools. */
export function withTools<T>(tools: ProxyTools, build: () => T): T {
  const outer = current;
  current = tools;
  try {
    return build();
  } finally {
    current = outer;
  }
}

/**
 * Stands in front of a worker in the master: one instance per (worker, key). Its methods with a task's name answer in the task's
 * place; every other task passes through. `O`: the worker's start options.
 * @example
 * ⁣@Proxy() export class Cache extends WorkerProxy<Search> {
 *   readonly hits = new Map<Query, Hits>();
 *   look(query: Query, call: ProxyCall) { return this.hits.get(query) ?? this.worker.look(query, call); }
 * }
 */
export abstract class WorkerProxy<W, O = unknown> implements ProxyShape<W, O> {
  static readonly [WORKER_PROXY] = true;
  declare readonly [proxyTypes]: { readonly worker: W; readonly options: O };
  readonly #tools: ProxyTools;

  /** @throws UsageError when it is not built for a worker: it cannot be made with `new`, nor injected. */
  constructor() {
    if (!current)
      throw new UsageError(
        `${new.target.name} stands in front of a worker and is built with it: name it in @Worker(…, { proxy: ${new.target.name} })`,
      );
    this.#tools = current;
  }

  /** Calls made for an asker: with its signal, deadline and place in the queue. */
  protected get worker(): ProxiedWorker<W> {
    // The tools are made from the worker's declarations, which `W` describes.
    return this.#tools.worker as ProxiedWorker<W>;
  }

  /** The proxy's own calls. */
  protected get own(): WorkerClient<W> {
    return this.#tools.own as WorkerClient<W>;
  }

  /** The live processes, each to be called by itself: to shard, broadcast, compare. */
  protected get instances(): readonly Instance<W>[] {
    return this.#tools.instances() as readonly Instance<W>[];
  }

  /** Which started worker of that class it stands in front of. */
  protected get key(): string | undefined {
    return this.#tools.key;
  }

  /** The options of `workers.start(W, { options })`. */
  protected get options(): O {
    return this.#tools.options as O;
  }
}
