import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CorsOptions } from '../../decorators/connection/cors-types.js';
import { UsageError } from '../../errors.js';
import { toMilliseconds } from '../../units.js';
import { keepFields } from './merged-fields.js';

const METHODS = 'GET, HEAD, PUT, PATCH, POST, DELETE';
/** The value of a header that is repeated in an answer: nothing that could end it, and no book. */
const REPEATABLE = /^[\x21-\x7e][\x20-\x7e]{0,2047}$/;

/** The method that a preflight asks for; undefined: the request is none. */
export function preflightMethodOf({ method, headers }: IncomingMessage): string | undefined {
  if (method !== 'OPTIONS' || headers.origin === undefined) return undefined;
  const asked = headers['access-control-request-method'];
  return asked === '' ? undefined : asked;
}

/** The option `cors` of an endpoint: tells browsers what pages of other origins may do, and answers their preflights. */
export class Cors {
  readonly #options: CorsOptions;
  readonly #maxAge: string | undefined;
  readonly #methodsAt: ((request: IncomingMessage) => ReadonlySet<string>) | undefined;

  /** @param methodsAt the methods of a request's path, where there are routes. */
  constructor(options: CorsOptions, methodsAt?: (request: IncomingMessage) => ReadonlySet<string>) {
    this.#options = options;
    this.#maxAge = options.maxAge === undefined ? undefined : String(Math.floor(toMilliseconds(options.maxAge) / 1000));
    this.#methodsAt = methodsAt;
  }

  /**
   * Whether pages of that origin may ask.
   * @throws UsageError where the function of the option returns no boolean; whatever it throws.
   */
  allows(asked: string | undefined): boolean {
    const { origin } = this.#options;
    if (origin === '*') return true;
    if (asked === undefined || !REPEATABLE.test(asked)) return false;
    if (typeof origin !== 'function') return origin.includes(asked);
    const verdict: unknown = origin(asked);
    if (typeof verdict !== 'boolean') throw new UsageError('the function `origin` of cors returned no boolean: it must not wait');
    return verdict;
  }

  /** Whether that origin is allowed by name or by the function: not because any is. Throws as `allows()`. */
  names(asked: string): boolean {
    return this.#options.origin !== '*' && this.allows(asked);
  }

  /** Sets the fields of an answer. Returns whether the request was a preflight: then it is answered. Throws as `allows()`. */
  apply(request: IncomingMessage, response: ServerResponse): boolean {
    const { origin, credentials, exposedHeaders = [] } = this.#options;
    const { origin: asked } = request.headers;
    if (origin !== '*') vary(response, 'Origin');
    const isAllowed = this.allows(asked);
    if (isAllowed) {
      response.setHeader('Access-Control-Allow-Origin', origin === '*' ? '*' : asked!);
      if (credentials === true) response.setHeader('Access-Control-Allow-Credentials', 'true');
    }
    const method = preflightMethodOf(request);
    if (method !== undefined) {
      this.#preflight(request, response, isAllowed);
      return true;
    }
    if (isAllowed && exposedHeaders.length > 0) response.setHeader('Access-Control-Expose-Headers', exposedHeaders.join(', '));
    return false;
  }

  #preflight(request: IncomingMessage, response: ServerResponse, isAllowed: boolean): void {
    const { methods, allowedHeaders } = this.#options;
    if (!allowedHeaders) vary(response, 'Access-Control-Request-Headers');
    if (isAllowed) {
      response.setHeader('Access-Control-Allow-Methods', methods?.join(', ') ?? this.#methodsOf(request));
      const fields = allowedHeaders?.join(', ') ?? request.headers['access-control-request-headers'] ?? '';
      if (REPEATABLE.test(fields)) response.setHeader('Access-Control-Allow-Headers', fields);
      if (this.#maxAge !== undefined) response.setHeader('Access-Control-Max-Age', this.#maxAge);
    }
    response.writeHead(204).end();
  }

  #methodsOf(request: IncomingMessage): string {
    const methods = new Set(this.#methodsAt?.(request));
    if (methods.size === 0) return METHODS;
    if (methods.has('GET')) methods.add('HEAD');
    return [...methods].toSorted().join(', ');
  }
}

function vary(response: ServerResponse, name: string): void {
  keepFields(response);
  response.appendHeader('Vary', name);
}
