import { KNOWS, realRequest } from './request.js';
import { installLightResponse } from './response.js';

type Input = ConstructorParameters<typeof Request>[0];

/** Lets `new Request()` and `fetch()` take light requests, which have none of the private state that those look for. */
function installRequest(): void {
  const { Request: Real, fetch: realFetch } = globalThis;
  if (KNOWS in Real) return;
  class Knowing extends Real {
    static readonly [KNOWS] = true;

    constructor(input: Input, init?: RequestInit) {
      super(realRequest(input), init);
    }

    static override [Symbol.hasInstance](this: unknown, value: unknown): boolean {
      // Those made before, and light ones, are of the web's own class; subclasses have instances of their own.
      return Function.prototype[Symbol.hasInstance].call(this === Knowing ? Real : this, value);
    }
  }
  Object.defineProperty(Knowing, 'name', { value: 'Request', configurable: true });
  const knowing = function fetch(input: Input, init?: RequestInit): Promise<Response> {
    return realFetch(realRequest(input), init);
  };
  const how = { writable: true, configurable: true } as const;
  Object.defineProperty(globalThis, 'Request', { value: Knowing, ...how, enumerable: false });
  Object.defineProperty(globalThis, 'fetch', { value: knowing, ...how, enumerable: true });
}

/**
 * Replaces three globals of this process, `Request`, `Response` and `fetch`, by ones that do the same and make no stream for a text, bytes
 * or JSON: `@OnRequest` and mounted Hono applications cost half as much. Once is enough; without it nothing is replaced. Call it before
 * other code takes the globals, and in the module of the connection class, so that worker processes do it, too.
 * docs/decisions/light-web.md has the figures.
 * @example
 * import { OnRequest, useLightWeb } from 'packet-ts/http';
 * useLightWeb();
 */
export function useLightWeb(): void {
  installRequest();
  installLightResponse();
}
