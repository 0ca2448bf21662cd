import type { WorkerClient } from '../../decorators/worker/client-types.js';
import { OnRequest } from '../../decorators/connection/connection-hooks.js';
import { Connection } from '../../decorators/connection/connection.js';
import type { Ctor } from '../../decorators/ctor.js';
import type { ConnectionOptions } from '../../decorators/connection/endpoint-types.js';
import type { Mounted, MountedPart, MountTools, RunningMount, ProviderToken } from '../../decorators/injection/provider-types.js';
import { UsageError } from '../../errors.js';
import { isExpress, wayOf, type ExpressApp, type FastifyApp, type FetchApp, type Mountable, type AppKind } from './mountable.js';

/** The application's values that the function given to {@link mount} may take. */
export interface MountInject {
  /** A client of a worker that the module lists. Its calls belong to the application: give them the request's `signal`. */
  worker<W extends object>(worker: Ctor<W>, options?: { readonly key?: string | undefined }): WorkerClient<W>;
  /** A provider, or anything else that the container knows. */
  get<T>(token: ProviderToken<T>): T;
}

/** Where the application listens, and its limits. */
// oxlint-disable-next-line typescript/no-explicit-any -- requests have no framing
export type MountOptions = Omit<ConnectionOptions<any, any>, 'framing' | 'connect' | 'listen'> & {
  // oxlint-disable-next-line typescript/no-explicit-any -- the same
  listen: NonNullable<ConnectionOptions<any, any>['listen']>;
};

/** A mounted application in one application of ours: passes requests on. */
export class Mount implements RunningMount {
  readonly way: AppKind;

  constructor(way: AppKind) {
    this.way = way;
  }

  async stop(): Promise<void> {
    if (this.way.kind === 'listener') await this.way.close?.();
  }
}

/** The class that listens for what was mounted; no instance is ever made, requests go straight to it. */
function handlerFor(options: MountOptions): Ctor {
  class Mounted {
    answer(): Response {
      throw new UsageError('what was mounted answers its requests itself');
    }
  }
  const { prototype } = Mounted;
  OnRequest()(prototype, 'answer', Object.getOwnPropertyDescriptor(prototype, 'answer')!);
  Connection(options)(Mounted);
  return Mounted;
}

/**
 * Serves a Fastify, Express or Hono application on the reactor, with the application's workers and providers at hand: it starts, shares
 * ports, is limited and closes with everything else. List it in the `connections` of a module.
 * @param app a function that makes the application, which may return a promise; or the application itself.
 * @throws at bootstrap: ConfigurationError when that is no application, and what the function throws.
 * @example
 * const web = mount(({ worker }) => {
 *   const app = fastify();
 *   const evaluator = worker(EvalWorker);
 *   app.get<{ Querystring: { source: string } }>('/', ({ query }) => evaluator.evaluate(query.source));
 *   return app;
 * }, { listen: 'http://127.0.0.1:8080' });
 * @Module({ connections: [web], workers: [EvalWorker] })
 * class AppModule {}
 */
export function mount(app: (inject: MountInject) => Mountable | Promise<Mountable>, options: MountOptions): Mounted;
export function mount(app: FetchApp | FastifyApp | ExpressApp, options: MountOptions): Mounted;
export function mount(app: object, options: MountOptions): Mounted {
  const make = typeof app === 'function' && !isExpress(app) ? (app as (inject: MountTools) => unknown) : () => app;
  const part: MountedPart = {
    __mounted: true,
    handler: handlerFor(options),
    start: async tools => new Mount(await wayOf(await make(tools))),
  };
  return part;
}
