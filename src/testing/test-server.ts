import { anything, checkGiven, duration } from '../option-rules.js';
import { schemeNamed, type Bound, type Transport } from '../endpoints/endpoint.js';
import type { Endpoint } from '../decorators/connection/endpoint-types.js';
import type { Chunk, Framing } from '../framing/framing.js';
import { UsageError } from '../errors.js';
import { toMilliseconds, type Duration } from '../units.js';
import { ExpectationError, TestClient } from './test-client.js';
import { clearTimeout, setTimeout } from '../system-timers.js';

/**
 * A scripted server: what handlers that connect find at the other end.
 * @example
 * const server = await app.accept('tcp://127.0.0.1:0');
 * const handler = app.reactor.connect(Upstream, server.url);
 * const client = await server.next();
 */
export class TestServer implements AsyncDisposable {
  readonly #bound: Bound;
  readonly #arrived: Transport[] = [];
  readonly #waiting: ((transport: Transport) => void)[] = [];

  private constructor(bound: Bound, arrived: Transport[], waiting: ((transport: Transport) => void)[]) {
    this.#bound = bound;
    this.#arrived = arrived;
    this.#waiting = waiting;
  }

  /** @throws ListenError when the endpoint cannot be bound. */
  static async listen(endpoint: Endpoint): Promise<TestServer> {
    const url = typeof endpoint === 'string' ? endpoint : endpoint.command;
    const scheme = schemeNamed(url.slice(0, url.indexOf(':')));
    if (!scheme?.listen) throw new UsageError(`nothing can listen on '${url}'`);
    const arrived: Transport[] = [];
    const waiting: ((transport: Transport) => void)[] = [];
    const accept = (transport: Transport): void => {
      const next = waiting.shift();
      if (next) next(transport);
      else arrived.push(transport);
    };
    const bound = await scheme.listen({ url, options: {} }, { accept, failed: () => {} });
    return new TestServer(bound, arrived, waiting);
  }

  /** The url to connect to, with the port that the system chose. */
  get url(): Endpoint {
    // A bound address has the scheme of the endpoint that it was asked for.
    return this.#bound.address.url as Endpoint;
  }

  /** The next connection, as a scripted peer. Rejects when none comes `within` that time (2s). */
  async next<In = Buffer, Out = Chunk>(options: { within?: Duration; framing?: Framing<In, Out> } = {}): Promise<TestClient<In, Out>> {
    checkGiven('next()', options, { within: duration, framing: anything });
    const transport = this.#arrived.shift() ?? (await this.#arrival(toMilliseconds(options.within ?? '2s')));
    return new TestClient<In, Out>(transport, options.framing);
  }

  #arrival(milliseconds: number): Promise<Transport> {
    return new Promise((resolve, reject) => {
      const arrived = (transport: Transport): void => {
        clearTimeout(timer);
        resolve(transport);
      };
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(arrived), 1);
        reject(new ExpectationError(`no client connected to ${this.#bound.address.url} within ${milliseconds} ms`));
      }, milliseconds);
      this.#waiting.push(arrived);
    });
  }

  /** Stops listening; connections that the test did not take are destroyed. */
  async close(): Promise<void> {
    for (const transport of this.#arrived.splice(0)) transport.destroy();
    await this.#bound.close();
  }

  /** Accepts no more, as `close()` does. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
