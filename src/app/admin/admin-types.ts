import type { Endpoint, EndpointOptions } from '../../decorators/connection/endpoint-types.js';
import type { BoundAddress, PeerTls, Remote } from '../../endpoints/endpoint.js';
import type { Logger } from '../../logger.js';
import type { ReactorCore } from '../../reactor/index.js';
import type { Inspection } from '../report/inspection-types.js';

/** Rights of a visitor of the page: to look, or to look and act. */
export type AdminRole = 'read' | 'operate';

/** The option `admin` of `bootstrap()` in full. */
export interface AdminOptions {
  /**
   * An `http:` or `https:` endpoint without a path. Default: `http://127.0.0.1:9400`, or another port of the loopback where that is taken.
   * One that others than this machine can reach needs `authorize`.
   */
  listen?: Endpoint | EndpointOptions<never, never> | undefined;
  /**
   * Decides who may come, for each request of the page and for its websocket: the role, or a `Response` that refuses, 401 for instance;
   * anything else is refused with 403. Without it every program of this machine may look, and nothing may act.
   * @example authorize: (request: Request) => (isMe(request.headers.get('authorization')) ? 'operate' : new Response('', { status: 401, headers: { 'www-authenticate': 'Basic' } }))
   */
  authorize?:
    | ((
        request: Request,
        about: { readonly remote: Remote; readonly tls: PeerTls | undefined },
      ) => AdminRole | Response | undefined | void | Promise<AdminRole | Response | undefined | void>)
    | undefined;
}

/** The page of one application. */
export interface AdminPage {
  /** The application's logger, with an ear in it. */
  tap(logger: Logger): Logger;
  /** Listens. Throws ListenError. */
  open(inspection: Inspection, core: ReactorCore): Promise<BoundAddress>;
  /** Stops sampling and sending. */
  close(): void;
}

/** Exports of `src/admin`, which is loaded where the option is used. */
export interface AdminModule {
  /** Throws ConfigurationError for options that cannot be used. */
  adminPage(options: AdminOptions): AdminPage;
}
