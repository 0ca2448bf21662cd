import { asError } from '../errors.js';
import { anything, checkGiven, list, object } from '../option-rules.js';
import type { AppBlueprint, Ctor, Token } from '../blueprint/types.js';
import type { CloseSummary } from '../decorators/connection/close-types.js';
import type { Mounted, ProviderToken } from '../decorators/injection/provider-types.js';
import type { BoundAddress } from '../endpoints/endpoint.js';
import type { Dialer, Reactor } from '../reactor/index.js';
import type { Health } from './report/health.js';
import { openApiOf, type OpenApiDocument, type OpenApiOptions } from './report/openapi.js';
import type { Duration } from '../units.js';
import type { Workers } from '../workers/workers.js';

export type { CloseSummary, Health, OpenApiDocument, OpenApiOptions };

/** The parts behind an {@link App}. */
export interface AppHost {
  readonly name: string;
  readonly closed: Promise<void>;
  readonly workers: Workers;
  readonly reactor: Reactor;
  health(): Health;
  addresses(connection: Ctor | Mounted): readonly BoundAddress[];
  readonly admin: BoundAddress | undefined;
  get(token: Token): unknown;
  dialer(handler: Ctor): Dialer;
  describe(): string;
  readonly blueprint: AppBlueprint;
  close(timeout: Duration | undefined): Promise<CloseSummary>;
}

/**
 * A running application. Inject it, or take it from `bootstrap()`.
 * @example
 * const app = await bootstrap(AppModule);
 * console.log(app.address(EchoConnection).port);
 * await app.close();
 */
export class App implements AsyncDisposable {
  readonly #port: AppHost;

  /** Made by `bootstrap()`. */
  constructor(port: AppHost) {
    this.#port = port;
  }

  /** How events, logs and metrics name it: `name` of `bootstrap()`, or its module's; unlike any other that runs in this process. */
  get name(): string {
    return this.#port.name;
  }

  /** Resolves when it has closed, however that came about. Never rejects. */
  get closed(): Promise<void> {
    return this.#port.closed;
  }

  /** All workers of the application. */
  get workers(): Workers {
    return this.#port.workers;
  }

  /** The sockets and timers of this process. */
  get reactor(): Reactor {
    return this.#port.reactor;
  }

  /**
   * Where a connection class listens: its first endpoint, with the port that the system chose.
   * @throws UsageError when it does not listen.
   */
  address(connection: Ctor | Mounted): BoundAddress {
    return this.addresses(connection)[0]!;
  }

  /**
   * Where a connection class listens.
   * @throws UsageError when it does not listen.
   */
  addresses(connection: Ctor | Mounted): readonly BoundAddress[] {
    return this.#port.addresses(connection);
  }

  /** Where the page of the option `admin` is; undefined without it. */
  get admin(): BoundAddress | undefined {
    return this.#port.admin;
  }

  /**
   * A provider, or anything else that the container knows.
   * @throws ConfigurationError when nothing provides it, UsageError for what is no token.
   */
  get<T>(token: ProviderToken<T>): T {
    // Only the compiler knows the type of a token's value.
    return this.#port.get(token) as T;
  }

  /**
   * The dialer of a class that is connected by its decorator (`connect:`).
   * @throws UsageError when it has none.
   */
  dialer<H extends object>(handler: Ctor<H>): Dialer<H> {
    // Made for that very class.
    return this.#port.dialer(handler) as unknown as Dialer<H>;
  }

  /** The runtime tree as text: endpoints, connections, workers with pids and queue depths. */
  describe(): string {
    return this.#port.describe();
  }

  /**
   * Whether it lives, and takes traffic: `ready` is false until everything has started, while a worker cannot be started, and from the
   * moment on that it closes. `healthPage()` of `packet-ts/http` serves it.
   * @example if (!app.health().ready) alert(app.health().details);
   */
  health(): Health {
    return this.#port.health();
  }

  /**
   * The routes of the application (`packet-ts/http`) as an OpenAPI 3.1 document: zod schemas as JSON Schema, others without a description.
   * Throws UsageError for options that it does not have.
   * @example @Get('/openapi.json') document() { return this.app.openapi({ info: { title: 'Orders', version: '1.2.0' } }); }
   */
  openapi(options: OpenApiOptions = {}): OpenApiDocument {
    checkGiven('app.openapi()', options, { info: object, servers: list });
    return openApiOf(this.#port.blueprint, this.name, options);
  }

  /**
   * Closes gracefully: what is under way finishes, at most until `timeout` (`closeTimeout`, '15s'); then what is left is cut off.
   * Rejects with a UsageError, and goes on, when `timeout` is no duration; else never. A second call returns the same promise.
   */
  close(options: { timeout?: Duration | undefined } = {}): Promise<CloseSummary> {
    try {
      checkGiven('app.close()', options, { timeout: anything });
    } catch (error) {
      return Promise.reject(asError(error));
    }
    return this.#port.close(options.timeout);
  }

  /** Closes the application, as `close()` does: `await using app = await bootstrap(AppModule)`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
