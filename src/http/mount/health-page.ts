import { UsageError } from '../../errors.js';
import { App } from '../../app/app.js';
import type { Mounted } from '../../decorators/injection/provider-types.js';
import { callable, checkGiven, isObject, show } from '../../option-rules.js';
import { mount, type MountOptions } from './mount.js';

/** A registry of prom-client, or whatever else makes a page. */
export interface MetricsPage {
  readonly contentType: string;
  /** Makes the text of the page. */
  metrics(): Promise<string>;
}

/** The options of {@link healthPage}: where it listens, and the limits of a connection. */
export type HealthPageOptions = MountOptions & {
  /** Adds `/metrics`: called once, when the application starts. @example metrics: app => metrics(app) */
  metrics?: ((app: App) => MetricsPage) | undefined;
};

const NO_STORE = { 'cache-control': 'no-store' };

function answer(is: boolean, details: object): Response {
  return Response.json(details, { status: is ? 200 : 503, headers: NO_STORE });
}

/**
 * Serves `/livez` and `/readyz`: 200 or 503, with what `app.health()` says; and `/metrics` where it is asked for. List it in the
 * `connections` of a module, at an address that is not for the public.
 * @throws UsageError for options that are none, and for `metrics` that is no function.
 * @example
 * const health = healthPage({ listen: 'http://127.0.0.1:9090', metrics: app => metrics(app) });
 * @Module({ connections: [EvalConnection, health], workers: [EvalWorker] })
 * class AppModule {}
 */
export function healthPage(given: HealthPageOptions): Mounted {
  if (!isObject(given)) throw new UsageError(`healthPage() takes { listen }, and was given ${show(given)}`);
  const { metrics, ...options } = given;
  checkGiven('healthPage()', { metrics }, { metrics: callable });
  return mount(({ get }) => {
    const app = get(App);
    const page = metrics?.(app);
    return {
      fetch: async (request: Request): Promise<Response> => {
        const { pathname } = new URL(request.url);
        if (request.method !== 'GET' && request.method !== 'HEAD')
          return new Response('only GET', { status: 405, headers: { allow: 'GET, HEAD' } });
        const { live, ready, details } = app.health();
        if (pathname === '/livez') return answer(live, { live });
        if (pathname === '/readyz') return answer(ready, { ready, details });
        if (pathname !== '/metrics' || !page) return new Response('there are /livez and /readyz', { status: 404 });
        return new Response(await page.metrics(), { headers: { ...NO_STORE, 'content-type': page.contentType } });
      },
    };
  }, options);
}
