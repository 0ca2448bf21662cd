import type { Ctor } from '../../blueprint/types.js';
import type { OneOrMany } from '../../decorators/ctor.js';
import type { Endpoint, EndpointOptions } from '../../decorators/connection/endpoint-types.js';
import type { Mounted } from '../../decorators/injection/provider-types.js';
import type { Logger } from '../../logger.js';
import type { Mesh } from '../../mesh/mesh-types.js';
import type { Duration, Off, Size } from '../../units.js';
import type { AdminOptions } from '../admin/admin-types.js';
import type { Placements } from '../mesh/mesh-side.js';

/** The options of `bootstrap()`. */
export interface BootstrapOptions {
  /** How events, logs and metrics name the application. Default: the name of its module class. */
  name?: string | undefined;
  /** Endpoints that replace those of the decorators. */
  listen?: ReadonlyMap<Ctor | Mounted, OneOrMany<Endpoint | EndpointOptions<never, never>>> | undefined;
  /** Anything with pino's interface; `false` writes nothing. Default: pino, JSON lines on stderr. */
  logger?: Logger | false | undefined;
  /**
   * SIGINT and SIGTERM close gracefully, a second one at once; the same signal within a second is a copy of the first request.
   * Default true.
   */
  signals?: boolean | undefined;
  /** How long closing may take before what is left is cut off. Default '15s'. */
  closeTimeout?: Duration | undefined;
  /**
   * For how long the application goes on as before when it is closed, but for `health().ready`, which is false at once: a load balancer
   * sends traffic until it has noticed. `closeTimeout` begins after it; a second signal ends it. Default 0: none.
   */
  shutdownDelay?: Duration | Off | undefined;
  /**
   * Bytes that may wait to be sent on all connections of this process together; beyond it the one with most is closed `by: 'limit'`.
   * Default '256mb'. Processes of workers have the default.
   */
  maxBufferedBytesTotal?: Size | Off | undefined;
  /**
   * 'close': an uncaught exception, or a rejected promise without a handler, closes the application with exit code 1. 'log': both are
   * logged. Default: an exception closes, a promise is logged.
   */
  uncaught?: 'close' | 'log' | undefined;
  /** Connects the application to worker hosts on other machines: `nats()` of packet-ts/nats, `memoryMesh()` of packet-ts/testing. */
  mesh?: Mesh | undefined;
  /**
   * Where workers run, by name, `'*'` for all others: `'local'` (default), `'remote'`, or `'spill'`: here while a process here is free or
   * may start, else on other machines.
   */
  placement?: Placements | undefined;
  /** Hosts of the same zone come first. */
  zone?: string | undefined;
  /**
   * A page that shows the application live, and acts on it where its `authorize` allows that. `true`: on the loopback, to be looked at only.
   * It needs the package `ws`. docs/admin.md. Default false.
   */
  admin?: boolean | AdminOptions | undefined;
}
