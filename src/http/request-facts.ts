import type { RouteAbout } from '../decorators/connection/route-types.js';
import type { Cookies } from '../decorators/connection/cookie-types.js';
import type { PeerTls, Remote } from '../endpoints/endpoint.js';
import type { RequestArrival } from './arrival.js';
import { RequestCookies } from './cookies.js';

/** Facts of a request besides itself. */
export class RequestFacts implements RouteAbout {
  readonly #of: { readonly id: string };
  readonly #arrival: RequestArrival;
  readonly remote: Remote;
  /** Read at once: a socket that has closed knows it no more. */
  readonly tls: PeerTls | undefined;
  #cookies: Cookies | undefined;

  constructor(of: { readonly id: string }, arrival: RequestArrival) {
    this.#of = of;
    this.#arrival = arrival;
    this.remote = arrival.remote;
    this.tls = arrival.tls;
  }

  get id(): string {
    return this.#of.id;
  }

  get cookies(): Cookies {
    const { request, response, secure } = this.#arrival;
    return (this.#cookies ??= new RequestCookies(request, response, secure));
  }
}
